"""Selective prediction: risk against coverage if uncertain rows get no answer."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from thinnet import checks
from thinnet.arithmetic import tree_sum
from thinnet.arrays import Array
from thinnet.uncertainty.forecasts import as_written, one_number_a_row


class RiskCoverage(NamedTuple):
    """Risk among the answered rows, from the most certain rows to all of them.

    Attributes
    ----------
    coverage : array of shape (steps,)
        Fraction of rows answered, rising to 1.
    risk : array of shape (steps,)
        The mean error of the answered rows.
    threshold : array of shape (steps,)
        The largest uncertainty among the answered rows.
    """

    coverage: Array
    risk: Array
    threshold: Array


def risk_coverage(error: Any, uncertainty: Any) -> RiskCoverage:
    """Mean error of the rows whose uncertainty is at most a threshold, for every threshold.

    Parameters
    ----------
    error : array-like of shape (rows,)
        The cost of answering each row: 0 or 1, a squared error, ...
    uncertainty : array-like of shape (rows,)
        Only its order matters.  Rows of equal uncertainty are answered in one step.

    Returns
    -------
    RiskCoverage

    Raises
    ------
    ValueError
        If the shapes differ, or something is not finite.

    References
    ----------
    El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017, "Selective classification for deep
    neural networks", section 2.

    Examples
    --------
    >>> curve = risk_coverage([0, 1, 0, 1], [0.1, 0.3, 0.1, 0.2])
    >>> curve.coverage, curve.threshold
    (array([0.5 , 0.75, 1.  ]), array([0.1, 0.2, 0.3]))
    >>> curve.risk.round(3)
    array([0.   , 0.333, 0.5  ])
    """
    error = one_number_a_row("error", error)
    given = one_number_a_row("uncertainty", uncertainty)
    checks.same_length("uncertainty", given, "error", len(error))
    threshold, step, rows = np.unique(given, return_inverse=True, return_counts=True)
    answered = np.cumsum(rows)
    return RiskCoverage(
        coverage=answered / len(error),
        risk=np.cumsum(np.bincount(step, error)) / answered,
        threshold=threshold,
    )


def area_under_risk_coverage(error: Any, uncertainty: Any) -> float:
    """Mean risk over all coverages; less is better, and a useless ranking has the mean error.

    A step of several rows has a weight in proportion to their number; without equal uncertainties
    this is the mean of the risks at 1, 2, ..., n rows.

    Parameters
    ----------
    error, uncertainty : array-like of shape (rows,)
        As in `risk_coverage`.

    Returns
    -------
    float
        In the units of `error`.

    Raises
    ------
    ValueError
        If the shapes differ, or something is not finite.

    References
    ----------
    Geifman, Uziel, El-Yaniv 2019, "Bias-reduced uncertainty estimation", section 2.

    Examples
    --------
    >>> area_under_risk_coverage([0, 0, 1, 1], [1, 2, 3, 4])
    0.20833333333333331
    """
    curve = risk_coverage(error, uncertainty)
    return float(tree_sum(np.diff(curve.coverage, prepend=0.0) * curve.risk))


def most_certain(uncertainty: Any, coverage: float) -> Bool[Array, " rows"]:
    """The rows to answer so that at least the fraction `coverage` of all is answered.

    Parameters
    ----------
    uncertainty : array-like of shape (rows,)
        Rows of equal uncertainty are answered together, or not at all.
    coverage : float in [0, 1]

    Returns
    -------
    bool array of shape (rows,)
        True for the fewest rows that suffice.

    Raises
    ------
    ValueError
        If a setting is out of its range, or something is not finite.

    Examples
    --------
    >>> most_certain([0.3, 0.1, 0.2, 0.2], 0.5)
    array([False,  True,  True,  True])
    """
    given = one_number_a_row("uncertainty", uncertainty)
    rows = math.ceil(as_written(checks.unit_interval("coverage", coverage)) * len(given))
    if rows == 0:
        return np.zeros(len(given), bool)
    return given <= np.partition(given, rows - 1)[rows - 1]
