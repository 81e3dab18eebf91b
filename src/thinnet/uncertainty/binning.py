"""Confidence and accuracy of the predicted class, in bins of its probability."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.uncertainty.forecasts import labelled, row_weights


class Reliability(NamedTuple):
    """Confidence and accuracy bin by bin; both are NaN where a bin is empty.

    Attributes
    ----------
    edges : array of shape (bins + 1,)
        Bin i is ``(edges[i], edges[i + 1]]``; the first holds its lower edge too.
    confidence : array of shape (bins,)
        Mean probability of the predicted class.
    accuracy : array of shape (bins,)
        Fraction of rows whose predicted class is the true one.
    rows : array of shape (bins,)
        The number of rows in the bin.
    fraction : array of shape (bins,)
        The fraction of the total weight in the bin; sums to 1.
    """

    edges: Array
    confidence: Array
    accuracy: Array
    rows: Array
    fraction: Array

    @property
    def gaps(self) -> Array:
        """``|accuracy - confidence|``, 0 for bins without weight."""
        return np.nan_to_num(np.abs(self.accuracy - self.confidence))


def reliability(
    y: Any,
    proba: Any,
    *,
    n_bins: int = 15,
    strategy: str = "uniform",
    labels: Any = None,
    sample_weight: Any = None,
) -> Reliability:
    """Confidence against accuracy of the most probable class, in bins of confidence.

    Parameters
    ----------
    y : array-like of shape (rows,)
        The true classes: places of columns of `proba`, or `labels`.
    proba : array-like of shape (rows, classes)
        Probabilities; each row sums to 1.
    n_bins : int, at least 1
    strategy : {"uniform", "quantile"}
        Bins of equal width in [0, 1], or of equally many rows (equal confidences stay together,
        and bins that would be of no width are left out).
    labels : array-like of shape (classes,), optional
        The labels of the columns of `proba`, as `y` has them.
    sample_weight : array-like of shape (rows,), optional
        At least 0. Bins do not depend on the weights.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If a setting is out of its range, or `y` and `proba` don't fit each other.

    References
    ----------
    Guo et al. 2017, "On calibration of modern neural networks", section 2.

    Examples
    --------
    >>> found = reliability([0, 1, 1, 0], [[1, 0], [0.1, 0.9], [0.6, 0.4], [0.7, 0.3]], n_bins=2)
    >>> found.confidence, found.accuracy, found.rows
    (array([nan, 0.8]), array([ nan, 0.75]), array([0, 4]))
    """
    places, p = labelled(y, proba, labels)
    weights = row_weights(sample_weight, len(p))
    confidence, right = p.max(axis=1), p.argmax(axis=1) == places
    edges = bin_edges(confidence, n_bins, strategy)
    bins = np.digitize(confidence, edges[1:-1], right=True)

    def total(of: Array) -> Array:
        return np.bincount(bins, of, minlength=len(edges) - 1)

    fraction = total(weights)
    with np.errstate(invalid="ignore"):  # an empty bin has no mean
        means = total(weights * confidence) / fraction, total(weights * right) / fraction
    return Reliability(edges, *means, total(np.ones(len(p))).astype(int), fraction)


def bin_edges(values: Array, n_bins: int, strategy: str) -> Array:
    """Edges of bins from 0 to 1: equally far apart, or with equally many `values` between them."""
    n_bins = checks.integer("n_bins", n_bins, 1)
    edges = np.linspace(0, 1, n_bins + 1)
    if checks.one_of("strategy", strategy, ("uniform", "quantile")) == "uniform":
        return edges
    # Whole numbers, because np.quantile takes the row after the right one if i / n_bins is rounded.
    ranks = -(-np.arange(1, n_bins) * len(values) // n_bins)
    inner = np.sort(values)[ranks - 1]
    return np.unique(np.concatenate([[0.0], inner, [1.0]]))
