"""Calibration errors of class probabilities, and their log score."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.arithmetic import log, tree_sum
from thinnet.uncertainty.binning import reliability
from thinnet.uncertainty.forecasts import SMALLEST, labelled, row_weights


def expected_calibration_error(
    y: Any,
    proba: Any,
    *,
    n_bins: int = 15,
    strategy: str = "uniform",
    labels: Any = None,
    sample_weight: Any = None,
) -> float:
    """``sum over bins of fraction * |accuracy - confidence|`` of the most probable class.

    It depends on the bins, and is above 0 for calibrated probabilities too, the more so the fewer
    rows a bin has: compare values with equal rows and bins only.

    Parameters
    ----------
    y : array-like of shape (rows,)
        The true classes: places of columns of `proba`, or `labels`.
    proba : array-like of shape (rows, classes)
        Probabilities; each row sums to 1.
    n_bins : int, at least 1
    strategy : {"uniform", "quantile"}
        Bins of equal width or of equally many rows, as in `reliability`.
    labels : array-like of shape (classes,), optional
        The labels of the columns of `proba`, as `y` has them.
    sample_weight : array-like of shape (rows,), optional

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If a setting is out of its range, or `y` and `proba` don't fit each other.

    References
    ----------
    Guo et al. 2017, equation 3; bins of equal mass: Nguyen and O'Connor 2015.

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 0, 0], [[0.9, 0.1]] * 4, n_bins=10), 3)
    0.15
    """
    found = reliability(
        y, proba, n_bins=n_bins, strategy=strategy, labels=labels, sample_weight=sample_weight
    )
    return float(tree_sum(found.fraction * found.gaps))


def maximum_calibration_error(
    y: Any,
    proba: Any,
    *,
    n_bins: int = 15,
    strategy: str = "uniform",
    labels: Any = None,
    sample_weight: Any = None,
) -> float:
    """``max over bins of |accuracy - confidence|`` of the most probable class.

    Parameters
    ----------
    y, proba, n_bins, strategy, labels, sample_weight
        As in `expected_calibration_error`.

    Returns
    -------
    float
        From `expected_calibration_error` to 1.

    Raises
    ------
    ValueError
        If a setting is out of its range, or `y` and `proba` don't fit each other.

    References
    ----------
    Guo et al. 2017, equation 4.

    Examples
    --------
    >>> maximum_calibration_error([0, 1, 1], [[1, 0], [1, 0], [0.2, 0.8]], n_bins=10)
    0.5
    """
    found = reliability(
        y, proba, n_bins=n_bins, strategy=strategy, labels=labels, sample_weight=sample_weight
    )
    return float(found.gaps.max())


def negative_log_likelihood(
    y: Any, proba: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    """Mean of ``-log(probability of the true class)``, in nats.

    It is scikit-learn's `log_loss` in float64, where a probability of 0 counts as 2.2e-16.

    Parameters
    ----------
    y, proba, labels, sample_weight
        As in `expected_calibration_error`.

    Returns
    -------
    float
        From 0 to 36.05.

    Raises
    ------
    ValueError
        If `y` and `proba` don't fit each other.

    Examples
    --------
    >>> round(negative_log_likelihood([0, 1], [[0.5, 0.5], [0.75, 0.25]]), 3)
    1.04
    """
    places, p = labelled(y, proba, labels)
    chances = np.clip(p[np.arange(len(p)), places], SMALLEST, 1 - SMALLEST)
    return float(tree_sum(row_weights(sample_weight, len(p)) * -log(chances)))
