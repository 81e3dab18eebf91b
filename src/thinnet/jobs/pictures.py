"""Pictures of a fitted table: learning curve, confusion or agreement, calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from thinnet.arrays import Array
from thinnet.atomic import write_atomically
from thinnet.displays.pit import PITHistogram
from thinnet.displays.reliability import ReliabilityDiagram
from thinnet.displays.risk_coverage import RiskCoverageCurve
from thinnet.displays.saving import save_figure
from thinnet.jobs import calibration, scoring
from thinnet.jobs.error_bars import Forecast
from thinnet.jobs.evaluating import Answers
from thinnet.jobs.measuring import COVERAGES, Measured

NAMES = (  # of all files that a report may have
    "learning-curve.png", "confusion.png", "predicted-against-true.png", "calibration.png",
    "pit.png", "error-bars.png", "reliability.png", "risk-coverage.png", "uncertain-rows.csv",
)  # fmt: skip
MOST_CLASSES = 20  # that a matrix can show
MOST_BARS = 150  # that can be told apart
BLUE = "#0072B2"  # Okabe and Ito's
NINETY = 2 * COVERAGES.index(0.9)  # place of the lower end among the quantiles


def draw(estimator: Any, found: Answers | None, folder: Path) -> list[Path]:
    """Save what can be shown; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_learning_curve(estimator, folder)]
    if found is None:
        return drawn
    if not hasattr(estimator, "classes_"):
        return [*drawn, _agreement(estimator, found, folder)]
    if len(estimator.classes_) <= MOST_CLASSES:
        drawn.append(_confusion(estimator, found, folder))
    return [*drawn, _calibration(estimator, found, folder)]


def draw_error_bars(estimator: Any, found: Measured, folder: Path) -> list[Path]:
    """Save what shows whether the model is as sure as it should be; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    y, drawn = found.plain.y, found.drawn
    if isinstance(drawn, Forecast):
        saved = [_pit(drawn, folder), _error_bars(estimator, y, drawn, folder)]
        error, unsure, risk = np.abs(y - drawn.mean), drawn.std, "mean |error|"
    else:
        p = scoring.proper(drawn.probabilities)
        saved = [_reliability(y, p, folder)]
        error, unsure, risk = calibration.errors(y, p), drawn.entropy, "share of errors"
    saved.append(_risk_coverage(error, unsure, risk, folder))
    return [*saved, _least_certain(found, folder)]


def _pit(drawn: Forecast, folder: Path) -> Path:
    axes = _axes()
    PITHistogram.from_values(np.clip(drawn.below, 0, 1), ax=axes)
    return _saved(axes.figure, folder, "pit.png")


def _reliability(y: Array, p: Array, folder: Path) -> Path:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(5.5, 6), layout="constrained").subplots()
    ReliabilityDiagram.from_predictions(y, p, ax=axes)
    return _saved(axes.figure, folder, "reliability.png")


def _risk_coverage(error: Array, unsure: Array, risk: str, folder: Path) -> Path:
    axes = _axes()
    RiskCoverageCurve.from_predictions(error, unsure, ax=axes)
    axes.set(ylabel=risk)
    return _saved(axes.figure, folder, "risk-coverage.png")


def _error_bars(estimator: Any, y: Array, drawn: Forecast, folder: Path) -> Path:
    """Of some rows, so that bars can be told apart."""
    some = np.random.default_rng(0).permutation(len(y))[:MOST_BARS]
    low, high = drawn.quantiles[some, NINETY], drawn.quantiles[some, NINETY + 1]
    axes, mean, truth = _axes(), drawn.mean[some], y[some]
    # The mean of a skewed mixture may lie outside.
    reach = np.maximum([mean - low, high - mean], 0)
    axes.errorbar(truth, mean, yerr=reach, fmt="o", ms=3, color=BLUE, ecolor=f"{BLUE}55")
    ends = [min(mean.min(), truth.min()), max(mean.max(), truth.max())]
    axes.plot(ends, ends, "--", color="0.3", linewidth=1)
    axes.set(xlabel=f"true {estimator.target_name_}", ylabel="predicted, and 90 % intervals")
    axes.ticklabel_format(scilimits=(-4, 7))
    return _saved(axes.figure, folder, "error-bars.png")


def _least_certain(found: Measured, folder: Path) -> Path:
    assert found.least_certain is not None
    path = folder / "uncertain-rows.csv"
    write_atomically(path, found.least_certain.to_csv(index=False, lineterminator="\n").encode())
    return path


def _axes(width: float = 6.0) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, 4.8), layout="constrained").subplots()


def _saved(figure: Any, folder: Path, name: str) -> Path:
    return save_figure(figure, folder / name)


def _learning_curve(estimator: Any, folder: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    estimator.history_.plot(figure.subplots(1, 2))
    figure.suptitle(f"network 1 of {len(estimator.networks_)}")
    return _saved(figure, folder, "learning-curve.png")


def _confusion(estimator: Any, found: Answers, folder: Path) -> Path:
    from sklearn.metrics import ConfusionMatrixDisplay

    names, guessed = list(estimator.classes_), found.predicted.argmax(axis=1)
    axes = _axes()
    ConfusionMatrixDisplay.from_predictions(
        found.y, guessed, labels=range(len(names)), display_labels=names, ax=axes, cmap="Blues",
        colorbar=False, xticks_rotation="vertical" if len(names) > 4 else "horizontal",
    )  # fmt: skip
    return _saved(axes.figure, folder, "confusion.png")


def _agreement(estimator: Any, found: Answers, folder: Path) -> Path:
    from sklearn.metrics import PredictionErrorDisplay

    axes = _axes()
    PredictionErrorDisplay.from_predictions(
        found.y, found.predicted, kind="actual_vs_predicted", subsample=2000, random_state=0,
        ax=axes, scatter_kwargs={"alpha": 0.3, "s": 10},
    )  # fmt: skip
    axes.set(xlabel=f"predicted {estimator.target_name_}", ylabel="true")
    return _saved(axes.figure, folder, "predicted-against-true.png")


def _calibration(estimator: Any, found: Answers, folder: Path) -> Path:
    """Of the second of two classes, or of the guess among many."""
    from sklearn.calibration import CalibrationDisplay

    binary = len(estimator.classes_) == 2
    p = found.predicted[:, 1] if binary else found.predicted.max(axis=1)
    came = found.y == 1 if binary else found.predicted.argmax(axis=1) == found.y
    axes = _axes()
    CalibrationDisplay.from_predictions(
        came, np.clip(p, 0, 1), n_bins=10, strategy="quantile", ax=axes, name="model"
    )
    what = f"{estimator.classes_[1]!r}" if binary else "the guess"
    axes.set(xlabel=f"predicted probability of {what}", ylabel="how often it came")
    return _saved(axes.figure, folder, "calibration.png")
