"""Coverage, width and score of intervals for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arithmetic import tree_sum
from thinnet.arrays import Array
from thinnet.uncertainty.forecasts import refuse, row_weights


def interval_coverage(y: Any, low: Any, high: Any, *, sample_weight: Any = None) -> float:
    """Fraction of rows with ``low <= y <= high``.

    Parameters
    ----------
    y : array-like of shape (rows,)
    low, high : array-like of shape (rows,)
        In the units of `y`; infinite bounds are allowed.
    sample_weight : array-like of shape (rows,), optional

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the shapes differ, something is NaN, or an upper bound is below its lower one.

    Examples
    --------
    >>> interval_coverage([1, 2, 3, 4], [0, 0, 0, 0], [3, 3, 3, 3])
    0.75
    """
    low, high = bounds(low, high)
    y = beside("y", y, len(low))
    return float(tree_sum(row_weights(sample_weight, len(y)) * ((low <= y) & (y <= high))))


def interval_width(low: Any, high: Any, *, sample_weight: Any = None) -> float:
    """Mean of ``high - low``, in the units of both.

    Parameters
    ----------
    low, high : array-like of shape (rows,)
    sample_weight : array-like of shape (rows,), optional

    Returns
    -------
    float
        At least 0; infinite if an interval is.

    Raises
    ------
    ValueError
        If the shapes differ, something is NaN, or an upper bound is below its lower one.

    Examples
    --------
    >>> interval_width([0, 1], [1, 4])
    2.0
    """
    low, high = bounds(low, high)
    return float(tree_sum(row_weights(sample_weight, len(low)) * (high - low)))


def interval_score(
    y: Any, low: Any, high: Any, *, coverage: float = 0.9, sample_weight: Any = None
) -> float:
    """Mean width plus ``2 / (1 - coverage)`` times the mean distance of misses; less is better.

    It is smallest for the true quantiles at ``(1 - coverage) / 2`` and ``(1 + coverage) / 2``.

    Parameters
    ----------
    y : array-like of shape (rows,)
    low, high : array-like of shape (rows,)
        In the units of `y`.
    coverage : float in (0, 1)
        The nominal coverage of the intervals.
    sample_weight : array-like of shape (rows,), optional

    Returns
    -------
    float
        In the units of `y`, at least `interval_width`.

    Raises
    ------
    ValueError
        If a setting is out of its range, the shapes differ, something is NaN, or an upper bound
        is below its lower one.

    References
    ----------
    Winkler 1972; Gneiting and Raftery 2007, equation 43.

    Examples
    --------
    >>> interval_score([1, 5], [0, 0], [2, 4], coverage=0.5)
    5.0
    """
    alpha = 1 - checks.inside("coverage", coverage)
    low, high = bounds(low, high)
    y = beside("y", y, len(low))
    miss = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    scores = high - low + 2 / alpha * miss
    return float(tree_sum(row_weights(sample_weight, len(y)) * scores))


def bounds(low: Any, high: Any) -> tuple[Array, Array]:
    low = beside("low", low)
    high = beside("high", high, len(low))
    refuse("high", "at least low", high, high < low)
    return low, high


def beside(name: str, values: Any, rows: int | None = None) -> Array:
    """`values` in float64, one for each row; ValueError if any is NaN."""
    given = checks.numeric(name, values).astype(np.float64)
    checks.must(given.ndim == 1, name, "one number a row", given.shape)
    refuse(name, "a number", given, np.isnan(given))
    return given if rows is None else checks.same_length(name, given, "low", rows)
