"""Brier's score and its parts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thinnet.arithmetic import lane_sum, tree_sum
from thinnet.arrays import Array, Float
from thinnet.uncertainty.binning import bin_edges
from thinnet.uncertainty.forecasts import labelled, row_weights


def brier_score(y: Any, proba: Any, *, labels: Any = None, sample_weight: Any = None) -> float:
    """Mean over rows of ``sum over classes of (p - o)^2``, where o is 1 for the true class.

    The original form, from 0 to 2; for two classes it is twice what many call Brier's score.

    Parameters
    ----------
    y : array-like of shape (rows,)
        The true classes: places of columns of `proba`, or `labels`.
    proba : array-like of shape (rows, classes)
        Probabilities; each row sums to 1.
    labels : array-like of shape (classes,), optional
        The labels of the columns of `proba`, as `y` has them.
    sample_weight : array-like of shape (rows,), optional

    Raises
    ------
    ValueError
        If `y` and `proba` don't fit each other.

    References
    ----------
    Brier 1950, "Verification of forecasts expressed in terms of probability", equation 2.

    Examples
    --------
    >>> round(brier_score([0, 1], [[1, 0], [0.5, 0.5]]), 3)
    0.25
    """
    places, p = labelled(y, proba, labels)
    errors = lane_sum(np.square(p - true_classes(places, p)).T)
    return float(tree_sum(row_weights(sample_weight, len(p)) * errors))


def true_classes(places: Array, p: Array) -> Array:
    return np.eye(p.shape[1])[places]


class BrierParts(NamedTuple):
    """The parts of Brier's score; all but the last are at least 0.

    ``score = reliability - resolution + uncertainty + within_variance - within_covariance``

    Attributes
    ----------
    reliability : float
        The squared distance of forecasts from the frequencies in their group; 0 is best.
    resolution : float
        The squared distance of these frequencies from the overall ones; more is better.
    uncertainty : float
        The score of forecasting the overall frequencies; it depends on the data alone.
    within_variance, within_covariance : float
        The variance of forecasts inside the groups, and twice their covariance with the outcomes;
        0 if all forecasts of a group are equal.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float

    @property
    def score(self) -> float:
        gain = self.resolution + self.within_covariance
        return self.reliability + self.uncertainty + self.within_variance - gain


def brier_parts(
    y: Any,
    proba: Any,
    *,
    n_bins: int | None = None,
    labels: Any = None,
    sample_weight: Any = None,
) -> BrierParts:
    """Brier's score as reliability - resolution + uncertainty, and the terms inside bins.

    Parameters
    ----------
    y, proba, labels, sample_weight
        As in `brier_score`.
    n_bins : int, at least 1, or None
        The number of bins of equal width that group the forecasts of each class; with None, rows
        are a group if their forecasts are equal in all classes.

    Returns
    -------
    BrierParts
        Its `score` is `brier_score` to rounding, whatever the groups.

    Raises
    ------
    ValueError
        If a setting is out of its range, or `y` and `proba` don't fit each other.

    References
    ----------
    Murphy 1973, "A new vector partition of the probability score"; the terms inside bins:
    Stephenson, Coelho, Jolliffe 2008, equation 7.

    Examples
    --------
    >>> parts = brier_parts([0, 1, 0, 1], [[0.75, 0.25], [0.75, 0.25], [0.5, 0.5], [0, 1]])
    >>> [round(part, 4) for part in parts]
    [0.1875, 0.25, 0.5, 0.0, 0.0]
    """
    places, p = labelled(y, proba, labels)
    weights = row_weights(sample_weight, len(p))
    outcomes = true_classes(places, p).T
    each = [
        parts_of_a_class(forecasts, seen, groups, weights)
        for forecasts, seen, groups in zip(p.T, outcomes, grouped(p, n_bins), strict=True)
    ]
    return BrierParts(*lane_sum(np.array(each)).tolist())


def grouped(p: Array, n_bins: int | None) -> Array:
    """The group of each forecast, shape (classes, rows)."""
    if n_bins is not None:
        edges = bin_edges(p, n_bins, "uniform")
        return np.digitize(p.T, edges[1:-1], right=True)
    _, group = np.unique(p, axis=0, return_inverse=True)
    return np.broadcast_to(group, p.T.shape)


def parts_of_a_class(
    forecasts: Float[Array, " rows"],
    seen: Float[Array, " rows"],
    groups: Array,
    weights: Float[Array, " rows"],
) -> tuple[float, ...]:
    of_groups = np.bincount(groups, weights)

    def group_mean(of: Array) -> Array:
        sums = np.bincount(groups, weights * of)
        return np.divide(sums, of_groups, out=np.zeros_like(sums), where=of_groups > 0)[groups]

    mean, frequency, overall = (
        group_mean(forecasts),
        group_mean(seen),
        float(tree_sum(weights * seen)),
    )
    inside = forecasts - mean
    return (
        tree_sum(weights * np.square(mean - frequency)),
        tree_sum(weights * np.square(frequency - overall)),
        overall * (1 - overall),
        tree_sum(weights * np.square(inside)),
        2 * tree_sum(weights * (inside * (seen - frequency))),
    )
