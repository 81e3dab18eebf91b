"""The card of a model: the facts about its training that `thinnet show` and reports print."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any, Final

from thinnet._version import __version__
from thinnet.checks import quoted
from thinnet.commands import remarks
from thinnet.commands.fit_job import FitJob
from thinnet.commands.holding_out import Part
from thinnet.console.tables import counted, printable
from thinnet.tables.columns.few import Table
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.drifting import cells_of
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.spooling import called

CHIEF: Final = (  # settings that are shown though they have their defaults
    "hidden_layer_sizes",
    "dropout",
    "input_dropout",
    "n_networks",
    "effort",
    "learning_rate_init",
    "weight_decay",
    "batch_size",
    "max_iter",
)
APART: Final = ("callbacks", "progress", "verbose", "n_threads", "random_state")  # of the run
ROLE_TEXTS: Final = {  # the names of columns that a fit was given, and what they were for
    "weight_name_": "rows are weighed by",
    "group_name_": "no fold parts a group of",
    "time_name_": "folds go forward in time by",
}
EPOCH: Final = "SOURCE_DATE_EPOCH"  # a time for results that are to be the same again


def card(job: FitJob, estimator: Any, train: Part, test: Part | None) -> dict[str, Any]:
    """The facts about a fitted model but its scores."""
    by = "" if job.weight is None else f", weighed by {quoted(job.weight)}"
    tested = f"{job.test_fraction:.0%} of the rows" if job.test is None else called(job.test)
    return {
        "table": printable(called(job.table)),
        "content": remarks.content(job.table),
        "target": job.target,
        "rows": len(train.y),
        "tested on": None
        if test is None
        else f"{printable(tested)}, {counted(len(test.y), 'row')}{by}",
        "left out": list(job.leave_out),
        "seed": job.seed,
        "thinnet": __version__,
        "trained": now(),
        "holes": holes(estimator, train.frame),
    }


def now() -> str:
    """The time, to the second, as 2024-02-29T12:00:00+00:00; SOURCE_DATE_EPOCH sets another."""
    given = os.environ.get(EPOCH, "")
    moment = datetime.fromtimestamp(int(given), UTC) if given.isdigit() else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")


def date_text(trained: str) -> str:
    """The time of training for people: 2024-02-29 12:00 UTC."""
    return f"{trained[:16].replace('T', ' ')} UTC"


def training_lines(estimator: Any) -> list[str]:
    """How rows were parted, weighed, grouped and put in order, and what training stopped by."""
    of_fit = vars(estimator)
    found = [
        estimator.card_.get("split", ""),
        *(
            f"{text} {quoted(of_fit[role])}"
            for role, text in ROLE_TEXTS.items()
            if of_fit.get(role)
        ),
        ""
        if estimator.stops_by_loss
        else f"stopped by {estimator.history_.score_name} of rows held out",
    ]
    return [line for line in found if line]


def holes(estimator: Any, frame: Frame) -> dict[str, int]:
    """The number of missing cells of each column."""
    encoder = estimator.encoder_
    table = Table(frame, encoder.missing_)
    return {
        column.name: int(
            cleaned(frame[column.name], encoder.missing_).isna().sum()
            if column.kind == "left out"
            else cells_of(table, column).missing.sum()
        )
        for column in encoder.columns_
    }


def holes_text(holes: int, rows: int) -> str:
    return f"{holes:,} ({holes / max(rows, 1):.1%})" if holes else "-"


def settings(estimator: Any) -> list[tuple[str, str, str]]:
    """The chief settings and those that differ from their defaults.

    Returns
    -------
    list of tuple of str
        The name, the value, and the default if the value differs from it, else "".
    """
    given = estimator.get_params(deep=False)
    usual = type(estimator)().get_params(deep=False)
    changed = [name for name in given if repr(given[name]) != repr(usual[name])]
    shown = [*CHIEF, *(name for name in changed if name not in (*CHIEF, *APART))]
    return [
        (name, _value(given[name]), _value(usual[name]) if name in changed else "")
        for name in shown
    ]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
