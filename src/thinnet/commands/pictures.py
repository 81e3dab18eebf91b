"""The pictures of a report on a fitted table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.commands import calibration, column_panels, evaluating, panels, scoring
from thinnet.commands.error_bars import Forecast
from thinnet.commands.evaluating import Answers
from thinnet.commands.examples import Examples
from thinnet.commands.importances import known_of
from thinnet.commands.measuring import Measured
from thinnet.tables import dependence, members
from thinnet.tables.columns.kinds import Column
from thinnet.uncertainty.draws.heads import ClassHead

MOST_CLASSES: Final = 20  # classes that a matrix can show
MOST_COLUMNS: Final = 6  # whose partial dependence is drawn
DEPENDENCE: Final = tuple(f"partial-dependence-{i}" for i in range(1, MOST_COLUMNS + 1))
STEMS: Final = (
    "learning-curve", "confusion", "predicted-against-true", "calibration", "pit", "error-bars",
    "risk-coverage", "importances", *DEPENDENCE,
)  # fmt: skip
PLAIN_TEXT: Final[dict[Any, Any]] = {"text.parse_math": False}  # a column may be called "$x^$"


class Picture(NamedTuple):
    """A figure, the name of its file, and what it shows, for those who can't see it."""

    stem: str
    figure: Any
    alt: str


@dataclass(frozen=True)
class Findings:
    """What is known of a model for a report on one table.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
    table : str
        The name of the table that it was measured on.
    answers : Answers, optional
        If it was measured.
    measured : Measured, optional
        With its draws.
    examples : Examples, optional
        Some of the rows.
    """

    estimator: Any
    table: str
    answers: Answers | None = None
    measured: Measured | None = None
    examples: Examples | None = None

    def title(self, what: str, rows: str) -> str:
        return f"{what}\n{self.table}, target {self.estimator.card_['target']}, {rows}"


@contextmanager
def drawing() -> Iterator[None]:
    """A context in which texts from tables are drawn as they are, whatever letters they have."""
    import matplotlib as mpl

    with mpl.rc_context(PLAIN_TEXT), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        warnings.filterwarnings("ignore", "Matplotlib currently does not support", UserWarning)
        yield


def pictures(found: Findings) -> list[Picture]:
    """All pictures that findings allow; they are made and saved within `drawing`."""
    made = [_learning_curve(found.estimator)]
    if found.answers is not None:
        of = _of_classes if isinstance(found.estimator.head_, ClassHead) else _of_numbers
        made += of(found, found.answers)
    return [*made, *_of_columns(found)]


def _of_classes(found: Findings, answers: Answers) -> list[Picture]:
    y, probabilities = answers.y, {"dropout off": answers.predicted}
    made, head, rows = [], found.estimator.head_, f"{len(answers.y):,} rows"
    if len(head.classes) <= MOST_CLASSES:
        title = found.title("Confusion matrix", rows)
        figure = panels.confusion(head.classes, y, head.places(answers.predicted), title)
        words = "A matrix of counts of rows, predicted classes along x and observed ones along y."
        made.append(Picture("confusion", figure, words))
    if found.measured is None:
        return [*made, _calibration(found, y, probabilities)]
    p = scoring.proper(found.measured.draws.probabilities)  # type: ignore[union-attr]
    probabilities["mean of the draws"] = p
    made.append(_calibration(found, y, probabilities))
    wrong, unsure = calibration.errors(y, p), calibration.entropy(p)
    return [*made, _risk_coverage(found, wrong, unsure, "fraction of errors")]


def _of_numbers(found: Findings, answers: Answers) -> list[Picture]:
    made = [_agreement(found, answers)]
    if found.measured is None:
        return made
    forecast = found.measured.draws
    assert isinstance(forecast, Forecast)
    made += [_pit(found, forecast), _error_bars(found, answers.y, forecast)]
    error = np.abs(answers.y - forecast.mean)
    return [*made, _risk_coverage(found, error, forecast.std, "mean |error|")]


def _learning_curve(estimator: Any) -> Picture:
    card, epochs = estimator.card_, _epochs_on_all(estimator)
    whose = (
        f"network 1 of {len(estimator.networks_)}"
        if epochs is None
        else f"fold 1 of {len(estimator.histories_)}, before training on all rows"
    )
    title = (
        f"Learning curve of {whose}\n{card['table']}, target {card['target']}, "
        f"{card['rows']:,} rows"
    )
    figure = panels.learning_curve(estimator.history_, title, epochs)
    words = f"Curves of loss and score over {len(estimator.history_)} epochs of {whose}."
    return Picture("learning-curve", figure, words)


def _epochs_on_all(estimator: Any) -> int | None:
    """The epochs of training on all rows; None if the networks are those of the folds."""
    entries = estimator.networks_[0].logbook.entries
    if not entries or entries[0].rows < estimator.card_["rows"]:
        return None
    return members.common_epochs(estimator.histories_, by_score=not estimator.stops_by_loss)


def _agreement(found: Findings, answers: Answers) -> Picture:
    title = found.title("Predicted and observed", panels.some_of(len(answers.y)))
    figure = panels.agreement(found.estimator.target_name_, answers, title)
    words = "Points of rows, predicted numbers along x and observed ones along y, and the diagonal."
    return Picture("predicted-against-true", figure, words)


def _calibration(found: Findings, y: Array, probabilities: dict[str, Array]) -> Picture:
    title = found.title("Calibration", f"{len(y):,} rows")
    positive, classes = evaluating.positive(found.estimator), found.estimator.head_.classes
    figure = panels.calibration(classes, y, probabilities, title, positive)
    words = (
        "Predicted probabilities along x and how often they were observed along y, in bins of as "
        "many rows, with 95 % intervals; calibrated ones lie on the diagonal."
    )
    return Picture("calibration", figure, words)


def _pit(found: Findings, forecast: Forecast) -> Picture:
    title = found.title("Calibration", f"{len(forecast.below):,} rows")
    words = "A histogram of where observed numbers fell in their predicted distributions."
    return Picture("pit", panels.pit(forecast.below, title), f"{words} A flat one is calibrated.")


def _error_bars(found: Findings, y: Array, forecast: Forecast) -> Picture:
    rows = panels.some_of(len(y), panels.MOST_BARS)
    title = found.title("Predictions with 90 % intervals", rows)
    figure = panels.error_bars(found.estimator.target_name_, y, forecast, title)
    words = "Intervals of rows along x, observed numbers along y; one that meets the diagonal holds"
    return Picture("error-bars", figure, f"{words} its number.")


def _risk_coverage(found: Findings, error: Array, unsure: Array, risk: str) -> Picture:
    title = found.title("Errors among the surest rows", f"{len(error):,} rows")
    words = f"A curve of the {risk} that is left where only the surest rows are answered."
    return Picture("risk-coverage", panels.risk_coverage(error, unsure, risk, title), words)


def _of_columns(found: Findings) -> list[Picture]:
    """Importances, and partial dependence on the most important columns; none of older models."""
    estimator = found.estimator
    if (known := known_of(estimator)) is None:
        return []
    card, rows = estimator.card_, f"{known.rows:,} rows held out"
    title = f"Importances\n{card['table']}, target {card['target']}, {rows}"
    first = ", ".join(repr(known.columns[j]) for j in known.order[:3])
    words = f"Bars of how much the {known.measure} rises with each column shuffled; most for"
    figure = column_panels.importances(known, title)
    return [Picture("importances", figure, f"{words} {first}."), *_dependence(found)]


def _dependence(found: Findings) -> list[Picture]:
    estimator, examples = found.estimator, found.examples
    if examples is None or examples.sample is None:
        return []
    frame, label = examples.sample, _label(estimator)
    made = []
    for stem, column in zip(DEPENDENCE, _most_important(estimator, frame), strict=False):
        title = found.title(f"Mean prediction by {panels.short_name(column.name)}",
                            f"{len(frame):,} rows")  # fmt: skip
        figure = column_panels.dependence(estimator, frame, column.name, label, title)
        shape = "Bars" if column.kind == "category" else "A curve"
        words = f"{shape} of the mean prediction where all rows get the same cell in column"
        made.append(Picture(stem, figure, f"{words} {column.name!r}."))
    return made


def _label(estimator: Any) -> Any:
    """The class whose probability is shown: the positive one of two, or the most frequent."""
    head = estimator.head_
    if not isinstance(head, ClassHead):
        return None
    two = len(head.classes) == 2
    place = evaluating.positive(estimator) if two else int(np.argmax(estimator.card_["plain"]))
    return head.classes.tolist()[place]


def _most_important(estimator: Any, frame: Any) -> list[Column]:
    """The columns that matter most, of those whose cells differ in some rows."""
    known, encoder = estimator.importances_, estimator.encoder_
    ordered = [encoder.columns_[j] for j in known.order if known.mean[j] > 0]
    shown = [column for column in ordered if column.kind in dependence.KINDS]
    several = (
        column
        for column in shown
        if len(dependence.points_of(frame[column.name], column, encoder.missing_, 2).x) > 1
    )
    return [column for column, _ in zip(several, range(MOST_COLUMNS), strict=False)]
