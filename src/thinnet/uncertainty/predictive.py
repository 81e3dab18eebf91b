"""Calibration and score of forecast distributions of numbers, given as draws."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean, lane_sum, tree_mean
from thinnet.arrays import Array, Float
from thinnet.uncertainty.forecasts import one_number_a_row, refuse


def predictive_draws(y: Any, draws: Any, at_least: int) -> tuple[Array, Array]:
    truth = one_number_a_row("y", y)
    given = checks.finite("draws", checks.numeric("draws", draws)).astype(np.float64)
    fits = given.ndim == 2 and given.shape[1] == len(truth)
    checks.must(fits, "draws", f"of shape (draws, {len(truth)})", given.shape)
    checks.must(len(given) >= at_least, "draws", f"at least {at_least}", len(given))
    return truth, given


def pit(y: Any, draws: Any) -> Float[Array, " rows"]:
    """The probability integral transform: each number's place in its forecast, in (0, 1).

    Among m draws a number has one of m + 1 places, equally likely if it comes from the same
    distribution; the PIT is the middle of its place, ``(below + equal / 2 + 1/2) / (m + 1)``.
    If you have the predictive cdf itself, its values at `y` are the PIT.

    Parameters
    ----------
    y : array-like of shape (rows,)
    draws : array-like of shape (draws, rows)
        Draws of `y`, its noise included.

    Returns
    -------
    array of shape (rows,)

    Raises
    ------
    ValueError
        If the shapes don't fit, or something is not finite.

    References
    ----------
    Dawid 1984; ranks among draws: Hamill 2001, "Interpretation of rank histograms".

    Examples
    --------
    >>> pit([0.5, 9.0], [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    array([0.375, 0.875])
    """
    y, draws = predictive_draws(y, draws, at_least=1)
    below, equal = (draws < y).sum(axis=0), (draws == y).sum(axis=0)
    return (below + equal / 2 + 0.5) / (len(draws) + 1)


class PITCounts(NamedTuple):
    """The number of PIT values in each bin, and the number that a calibrated forecast gives.

    Attributes
    ----------
    edges : array of shape (bins + 1,)
        From 0 to 1, equally far apart.
    rows : array of shape (bins,)
        The number of values in each bin.
    expected : float
        The number of values over the number of bins.
    low, high : int
        The count of a bin lies in this range with at least the probability `band`.
    """

    edges: Array
    rows: Array
    expected: float
    low: int
    high: int


def pit_histogram(values: Any, *, n_bins: int = 10, band: float = 0.95) -> PITCounts:
    """Counts of PIT values, uniform if the forecasts are calibrated.

    U-shaped if the forecast distributions are too narrow, a hump if they are too wide, sloping if
    they are biased.  PIT values of m draws have m + 1 places: choose `n_bins` to divide m + 1.

    Parameters
    ----------
    values : array-like of shape (rows,)
        In [0, 1]: results of `pit`, or values of a predictive cdf.
    n_bins : int, at least 1
    band : float in (0, 1)
        The probability of the central binomial range of one bin's count; some of many bins lie
        outside by chance.

    Returns
    -------
    PITCounts

    Raises
    ------
    ValueError
        If a setting or a value is out of its range.

    References
    ----------
    Diebold, Gunther, Tay 1998; Gneiting, Balabdaoui, Raftery 2007, section 3.1.

    Examples
    --------
    >>> pit_histogram([0.1, 0.3, 0.6, 0.9], n_bins=2)
    PITCounts(edges=array([0. , 0.5, 1. ]), rows=array([2, 2]), expected=2.0, low=0, high=4)
    """
    from scipy.stats import binom

    values = one_number_a_row("values", values)
    refuse("values", "in [0, 1]", values, (values < 0) | (values > 1))
    n_bins = checks.integer("n_bins", n_bins, 1)
    rows, edges = np.histogram(values, n_bins, (0, 1))
    low, high = binom.interval(checks.inside("band", band), len(values), 1 / n_bins)
    return PITCounts(edges, rows, len(values) / n_bins, int(low), int(high))


def crps(y: Any, draws: Any, *, fair: bool = True) -> float:
    """Mean continuous ranked probability score, ``E|x - y| - E|x - x'| / 2``; less is better.

    Parameters
    ----------
    y : array-like of shape (rows,)
    draws : array-like of shape (draws, rows)
        At least 2 draws of `y`, its noise included.
    fair : bool
        True scores the distribution behind the draws: x and x' are different draws, and the
        expected score does not depend on their number.  False scores the draws as if they were the
        whole distribution, so that fewer draws score worse.

    Returns
    -------
    float
        In the units of `y`; for a forecast of one certain value its absolute error.

    Raises
    ------
    ValueError
        If the shapes don't fit, or something is not finite.

    References
    ----------
    Gneiting and Raftery 2007, equation 21; fair: Ferro 2014, equation 4.

    Examples
    --------
    >>> crps([0.0], [[-1.0], [1.0]]), crps([0.0], [[-1.0], [1.0]], fair=False)
    (0.0, 0.5)
    """
    y, draws = predictive_draws(y, draws, at_least=2)
    m = len(draws)
    pairs = m * (m - 1) if checks.boolean("fair", fair) else m * m
    # The i-th of m sorted draws (from 0) is the larger in i pairs, the smaller in m - 1 - i.
    signs = 2 * np.arange(m) - (m - 1)
    spread = lane_sum(signs[:, None] * np.sort(draws, axis=0)) / pairs
    return float(tree_mean(lane_mean(np.abs(draws - y)) - spread))
