"""Intervals and sets with guaranteed coverage, from rows that `fit --conformal` kept apart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError
from thinnet.network.summary import has_random_masks
from thinnet.tables import drifting
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.conformal import rows_needed
from thinnet.uncertainty.conformal_classifier import SplitConformalClassifier, class_scores
from thinnet.uncertainty.conformal_regressor import SplitConformalRegressor
from thinnet.uncertainty.draws.heads import ClassHead

FRACTION: Final = 0.2  # fraction of the training rows that is kept apart
COVERAGE: Final = 0.9
BETWEEN: Final = "|"  # stands between the labels of a set


def check(rows: int) -> None:
    """DataFileError if `rows` are too few for a coverage of 90 %."""
    if rows < (needed := rows_needed(COVERAGE)):
        raise DataFileError(
            f"--conformal must have {needed} rows to keep apart for a coverage of {COVERAGE:.0%}, "
            f"got {rows}"
        )


def learn(estimator: Any, frame: Frame, y: Array) -> None:
    """Give a fitted estimator the scores of rows that it was not trained on.

    A rare class may be missing among them: the guarantee is an average over all rows.
    """
    with drifting.reported_to(drifting.ignored):
        if isinstance(estimator.head_, ClassHead):
            scores = class_scores(_unlearned(estimator), frame)
            places = estimator.head_.known(y)
            estimator.conformal_ = (scores[np.arange(len(y)), places],)
            return
        found = _unlearned(estimator).calibrate(frame, y)
    estimator.conformal_ = tuple(part for part in (found.errors_, found.std_) if part is not None)


def is_conformal(estimator: Any) -> bool:
    return hasattr(estimator, "conformal_")


def wrapped(estimator: Any) -> Any:
    """The estimator with its scores, as one of thinnet's conformal wrappers."""
    found, scores = _unlearned(estimator), estimator.conformal_
    if isinstance(estimator.head_, ClassHead):
        found.scores_, found.classes_ = scores[0], estimator.classes_
        return found
    found.normalise = len(scores) == 2
    found.errors_, found.std_ = scores if len(scores) == 2 else (scores[0], None)
    return found


def _unlearned(estimator: Any) -> Any:
    if isinstance(estimator.head_, ClassHead):
        return SplitConformalClassifier(estimator)
    noisy = len(estimator.networks_) > 1 or has_random_masks(estimator.networks_[0])
    return SplitConformalRegressor(estimator, normalise=noisy)


def columns(estimator: Any, frame: Frame, coverage: float | None) -> dict[str, Array]:
    """NAME_low and NAME_high, or NAME_set: labels between bars, whose own are written \\\\|."""
    name, found = estimator.head_.name, wrapped(estimator)
    with drifting.reported_to(drifting.ignored):
        if not isinstance(estimator.head_, ClassHead):
            low, high = found.predict_interval(frame, coverage or COVERAGE).T
            return {f"{name}_low": low, f"{name}_high": high}
        inside = found.predict_set(frame, coverage or COVERAGE)
    labels = np.array(
        [str(label).replace(BETWEEN, "\\" + BETWEEN) for label in estimator.head_.classes]
    )
    return {f"{name}_set": np.array([BETWEEN.join(labels[row]) for row in inside], object)}


def held(estimator: Any, frame: Frame, y: Array) -> Array:
    """Whether the target of each row lies in its interval or set of 90 %."""
    found = wrapped(estimator)
    if isinstance(estimator.head_, ClassHead):
        inside = found.predict_set(frame, COVERAGE)
        return np.asarray(inside[np.arange(len(y)), estimator.head_.known(y)])
    low, high = found.predict_interval(frame, COVERAGE).T
    return np.asarray((low <= y) & (y <= high))
