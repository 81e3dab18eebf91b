"""Pictures of a fitted table: learning curve, confusion or agreement, calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from thinnet.jobs.evaluating import Answers

MOST_CLASSES = 20  # that a matrix can show


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


def _axes(width: float = 6.0) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, 4.8), layout="constrained").subplots()


def _saved(figure: Any, folder: Path, name: str) -> Path:
    figure.savefig(folder / name, dpi=120)
    return folder / name


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
