"""`thinnet evaluate`: a model measured on a table's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thinnet.checks import DataFileError
from thinnet.cli import reports
from thinnet.cli.common import Force, note, one_sentence, screen
from thinnet.cli.models import (
    N_DRAWS,
    STRICT,
    Model,
    Uncertainty,
    error_bars,
    loaded,
    print_decision,
    print_held,
    print_scores,
)
from thinnet.rendering import printable


def evaluate(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training, and target.")],
    report: Annotated[Path | None, typer.Option(help="A folder for pictures.")] = None,
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
    kind: Annotated[str | None, typer.Option("--format", help=reports.FORMAT)] = None,
    strict: Annotated[bool, typer.Option("--strict", help=STRICT)] = False,
    force: Force = False,
) -> None:
    """Measure a model on a table's file.

    With --uncertainty also whether it is as sure as it should be: of classes the calibration of
    their probabilities, of numbers how many true values intervals hold; --report adds pictures of
    that, and uncertain-rows.csv with the least certain rows and the cells that make them so.
    """
    with one_sentence(f"measuring on {table}"):
        from thinnet.jobs import evaluating, holding, pictures
        from thinnet.tables import drifting

        read = {"MODEL": model, "TABLE": table}
        pictured = reports.asked(report, kind, table.name, read, force)
        bars = error_bars(uncertainty, n_draws=draws)
        estimator = loaded(model)
        drift, held = drifting.Total(), holding.Holding(estimator)
        with drifting.told_to(drift):
            measured = None if bars is None else _measured(held, table, bars, report)
            found = measured.plain if measured else evaluating.evaluate(estimator, table, held)
        _judge(drift.said(estimator), strict)
        where = printable(f"{table.name}, {len(found.y)} rows")
        print_scores(estimator, evaluating.scores(estimator, found), where)
        print_decision(estimator)
        print_held(held.told())
        if bars is not None:
            _print_calibration(f"{estimator.card_['target']}: {where}", measured, bars)
        if pictured is not None:
            reports.tell(pictures.draw(estimator, found, pictured, measured))


def _judge(drift: str, strict: bool) -> None:
    if drift and strict:
        raise DataFileError(drift)
    if drift:
        note(drift)


def _measured(held: Any, table: Path, bars: Any, report: Path | None) -> Any:
    from thinnet.jobs import measuring

    return measuring.measure(held.estimator, table, bars, held, least_certain=report is not None)


def _print_calibration(title: str, measured: Any, bars: Any) -> None:
    from thinnet.jobs import calibration

    for shown in calibration.tables(title, measured, bars.n_draws):
        screen.print(shown)
