"""Common parts of commands that read a model: its file, its scores, the options of error bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import typer

from thinnet.cli.common import note, say, screen
from thinnet.console.tables import counted

MODEL: Final = "A model that `thinnet fit` has saved."
Model = Annotated[str, typer.Argument(help=MODEL)]
Uncertainty = Annotated[
    bool, typer.Option("--uncertainty", help="Error bars, by draws with dropout on.")
]
STRICT: Final = "Fail where columns hold more strange cells than the rows of training did."
N_DRAWS: Final = "With --uncertainty: how many thinned networks predict; by default 100."


def loaded(path: str) -> Any:
    from thinnet.checks import ModelFileError
    from thinnet.persistence import load

    estimator = load(path)
    if not hasattr(estimator, "card_"):
        raise ModelFileError(
            f"model {path!r} must be one that `thinnet fit` has saved for a table, got a "
            f"{type(estimator).__name__}"
        )
    return estimator


def print_scores(
    estimator: Any, scores: Any, classes: Sequence[Any], where: str | None = None
) -> None:
    """Print the scores, and those of each class, of the rows that `where` or the card names."""
    from thinnet.commands import class_scores, evaluating, scoring
    from thinnet.uncertainty.draws.heads import ClassHead

    card, head = estimator.card_, estimator.head_
    where = where or card["tested on"]
    if where is None:
        rows = counted(card["rows"], "row")
        say(f"trained on {rows}; no rows were held out to measure on")
        return
    of_classes, plain = isinstance(head, ClassHead), evaluating.plain_answer(estimator)
    title = f"{card['target']}: {where}"
    screen.print(scoring.table(title, scores, plain, is_decided=of_classes and head.is_decided))
    if classes:
        screen.print(class_scores.table(classes))


def print_remarks(remarks: Iterable[str]) -> None:
    """Print the remarks that scores need, below them."""
    for remark in remarks:
        if remark:
            note(remark)


def print_decision(estimator: Any) -> None:
    """Print the probability from which on a class is predicted, where a threshold was chosen."""
    from thinnet.tables.deciding import decision_message
    from thinnet.tables.heads import WeighedHead

    head = estimator.head_
    if isinstance(head, WeighedHead) and head.decision is not None:
        note(decision_message(head.decision, head.classes))


def print_held(message: Any) -> None:
    if message:
        say(str(message))


def error_bars(wanted: bool, **settings: Any) -> Any:
    """The settings of --uncertainty; None without it."""
    from thinnet.commands.error_bars import ErrorBars

    given = {name: value for name, value in settings.items() if value is not None}
    if wanted:
        return ErrorBars(**given)
    for name in given:
        raise ValueError(f"--{name.removeprefix('n_')} is for --uncertainty, got none")
    return None
