"""The pictures of a report on a fitted table, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.atomic import write_atomically
from thinnet.commands import calibration, panels, scoring
from thinnet.commands.error_bars import Forecast
from thinnet.commands.evaluating import Answers
from thinnet.commands.measuring import Measured
from thinnet.displays.saving import save_figure
from thinnet.tables import members
from thinnet.uncertainty.draws.heads import ClassHead

MOST_CLASSES: Final = 20  # classes that a matrix can show
STEMS: Final = (
    "learning-curve", "confusion", "predicted-against-true", "calibration", "pit", "error-bars",
    "risk-coverage",
)  # fmt: skip
UNCERTAIN: Final = "uncertain-rows.csv"


def names(kind: str = "png") -> list[str]:
    """All files that a report may have."""
    return [*(f"{stem}.{kind}" for stem in STEMS), UNCERTAIN]


class Report(NamedTuple):
    """A folder, the table that was measured on, and the format of pictures."""

    folder: Path
    table: str
    kind: str = "png"

    def title(self, what: str, estimator: Any, rows: str) -> str:
        return f"{what}\n{self.table}, target {estimator.card_['target']}, {rows}"

    def save(self, figure: Any, stem: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return save_figure(figure, self.folder / f"{stem}.{self.kind}")


def save_report(
    estimator: Any, found: Answers | None, report: Report, measured: Measured | None = None
) -> list[Path]:
    """Save pictures of answers, and of error bars where they were measured; return their paths."""
    paths = [_learning_curve(estimator, report)]
    if found is None:
        return paths
    of = _of_classes if isinstance(estimator.head_, ClassHead) else _of_numbers
    paths += of(estimator, found, measured, report)
    return paths if measured is None else [*paths, _least_certain(measured, report)]


def _of_classes(
    estimator: Any, found: Answers, measured: Measured | None, report: Report
) -> list[Path]:
    y, probabilities = found.y, {"dropout off": found.predicted}
    paths, head = [], estimator.head_
    if len(head.classes) <= MOST_CLASSES:
        title = report.title("Confusion matrix", estimator, f"{len(y):,} rows")
        figure = panels.confusion(head.classes, y, head.places(found.predicted), title)
        paths.append(report.save(figure, "confusion"))
    if measured is None:
        return [*paths, _calibration(estimator, y, probabilities, report)]
    p = scoring.proper(measured.draws.probabilities)  # type: ignore[union-attr]
    probabilities["mean of the draws"] = p
    paths.append(_calibration(estimator, y, probabilities, report))
    wrong, unsure = calibration.errors(y, p), calibration.entropy(p)
    return [*paths, _risk_coverage(estimator, wrong, unsure, "fraction of errors", report)]


def _of_numbers(
    estimator: Any, found: Answers, measured: Measured | None, report: Report
) -> list[Path]:
    paths = [_agreement(estimator, found, report)]
    if measured is None:
        return paths
    forecast = measured.draws
    assert isinstance(forecast, Forecast)
    paths += [_pit(estimator, forecast, report), _error_bars(estimator, found.y, forecast, report)]
    error = np.abs(found.y - forecast.mean)
    return [*paths, _risk_coverage(estimator, error, forecast.std, "mean |error|", report)]


def _learning_curve(estimator: Any, report: Report) -> Path:
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
    return report.save(figure, "learning-curve")


def _epochs_on_all(estimator: Any) -> int | None:
    """The epochs of training on all rows; None if the networks are those of the folds."""
    entries = estimator.networks_[0].logbook.entries
    if not entries or entries[0].rows < estimator.card_["rows"]:
        return None
    return members.common_epochs(estimator.histories_, by_score=not estimator.stops_by_loss)


def _positive(estimator: Any) -> int:
    """The place of the positive class of two, as for `threshold_for`: the rarer or a named one."""
    decision = estimator.head_.decision
    frequencies = estimator.card_["plain"]
    return int(np.argmin(frequencies)) if decision is None else int(decision.positive)


def _agreement(estimator: Any, found: Answers, report: Report) -> Path:
    title = report.title("Predicted and observed", estimator, panels.some_of(len(found.y)))
    figure = panels.agreement(estimator.target_name_, found, title)
    return report.save(figure, "predicted-against-true")


def _calibration(estimator: Any, y: Array, probabilities: dict[str, Array], report: Report) -> Path:
    title = report.title("Calibration", estimator, f"{len(y):,} rows")
    positive = _positive(estimator)
    figure = panels.calibration(estimator.head_.classes, y, probabilities, title, positive)
    return report.save(figure, "calibration")


def _pit(estimator: Any, forecast: Forecast, report: Report) -> Path:
    title = report.title("Calibration", estimator, f"{len(forecast.below):,} rows")
    return report.save(panels.pit(forecast.below, title), "pit")


def _error_bars(estimator: Any, y: Array, forecast: Forecast, report: Report) -> Path:
    rows = panels.some_of(len(y), panels.MOST_BARS)
    title = report.title("Predictions with 90 % intervals", estimator, rows)
    return report.save(panels.error_bars(estimator.target_name_, y, forecast, title), "error-bars")


def _risk_coverage(estimator: Any, error: Array, unsure: Array, risk: str, report: Report) -> Path:
    title = report.title("Errors among the surest rows", estimator, f"{len(error):,} rows")
    return report.save(panels.risk_coverage(error, unsure, risk, title), "risk-coverage")


def _least_certain(found: Measured, report: Report) -> Path:
    assert found.least_certain is not None
    path = report.folder / UNCERTAIN
    write_atomically(path, found.least_certain.to_csv(index=False, lineterminator="\n").encode())
    return path
