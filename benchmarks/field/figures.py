"""What is measured of one fold."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

from field.tables import Problem

BINS: Final = 15  # of confidence, as in Guo et al. 2017
LEVELS: Final = (0.5, 0.8, 0.9)  # of intervals
LEAST: Final = 1e-7  # a probability of 0 would cost infinitely much


def figures(given: Problem, model: Any, rows: np.ndarray) -> dict[str, Any]:
    """Loss, score, and what calibration is computed from once the folds are together."""
    X, y = given.X.iloc[rows], given.y[rows]
    if given.is_regression:
        predicted = model.predict(X)
        found = {"loss": root_mean_squared_error(y, predicted), "score": r2_score(y, predicted)}
        return {**found, **intervals(model, X, y)}
    p = np.clip(np.asarray(model.predict_proba(X), np.float64), LEAST, 1)
    p /= p.sum(axis=1, keepdims=True)
    labels = np.asarray(model.classes_).astype(str)
    right = labels[p.argmax(axis=1)] == y
    return {
        "loss": log_loss(y, p, labels=labels),
        "score": accuracy_score(y, labels[p.argmax(axis=1)]),
        "confidence": reliability(p.max(axis=1), right),
    }


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """Of each bin its rows, the sum of their confidence, and how many are right."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = (np.bincount(places, w, BINS) for w in (np.ones(len(right)), confidence, right))
    return np.stack(list(sums), axis=1).tolist()


def calibration_error(folds: list[dict[str, Any]]) -> float:
    """The expected calibration error over the rows of all folds (Guo et al. 2017, equation 3)."""
    rows, confidence, right = np.sum([fold["confidence"] for fold in folds], axis=0).T
    return float(np.abs(confidence - right).sum() / rows.sum())


def intervals(model: Any, X: Any, y: np.ndarray) -> dict[str, Any]:
    """Rows within the central intervals of a thinnet regressor, and the intervals' scores.

    `uncalibrated` is the mean score without what rows held out have taught.
    """
    if not hasattr(model, "predict_quantiles"):
        return {}
    held, score = _held(model, X, y)
    kept = model.calibration_
    del model.calibration_
    _, uncalibrated = _held(model, X, y)
    model.calibration_ = kept
    return {"rows": len(y), "held": held, "interval_score": score, "uncalibrated": uncalibrated}


def _held(model: Any, X: Any, y: np.ndarray) -> tuple[list[int], float]:
    """How many rows are within, for each level, and the mean interval score over the levels.

    The score of an interval (Gneiting and Raftery 2007, equation 43) is its width and, for a value
    outside, ``2 / (1 - level)`` times the distance to it.
    """
    tails = [(1 - level) / 2 for level in LEVELS]
    ends = model.predict_quantiles(X, (*tails, *(1 - t for t in tails)), progress=False)
    low, high = ends[:, : len(tails)], ends[:, len(tails) :]
    outside = np.maximum(low - y[:, None], 0) + np.maximum(y[:, None] - high, 0)
    scores = high - low + outside / np.array(tails)
    return (outside == 0).sum(axis=0).tolist(), float(scores.mean())
