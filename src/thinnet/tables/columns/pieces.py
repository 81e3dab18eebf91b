"""Piecewise linear encoding of numbers (Gorishniy et al. 2022, eq. 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from thinnet import checks
from thinnet.arrays import Array


class PiecewiseLinear(TransformerMixin, BaseEstimator):
    """Each number as the fraction of every bin that is below it: 1, ..., 1, a fraction, 0, ..., 0.

    A network that gets these sees a number at all scales at once, and can bend its answer at each
    edge.  Bins hold equally many rows, where no value counts for more than half a bin, so that
    the many zeros of a column leave bins for its other values.

    Parameters
    ----------
    n_bins : int, default=16
        At most so many for each column, at least 1.

    Attributes
    ----------
    edges_ : list of array
        The edges of the bins of each column, increasing.

    Raises
    ------
    ValueError
        In fit, if a number is not finite.

    References
    ----------
    Gorishniy, Rubachev and Babenko 2022, "On embeddings for numerical features in tabular deep
    learning", section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> encoder = PiecewiseLinear(n_bins=2).fit(np.arange(5.0)[:, None])
    >>> encoder.transform([[1.0], [3.0]])
    array([[0.5, 0. ],
           [1. , 0.5]])
    """

    def __init__(self, n_bins: int = 16) -> None:
        self.n_bins = n_bins

    def fit(self, X: Any, y: Any = None) -> PiecewiseLinear:
        """Find the edges."""
        checks.integer("n_bins", self.n_bins, 1)
        X = validate_data(self, X, dtype=np.float64)
        self.edges_ = [_edges(column, self.n_bins) for column in X.T]
        return self

    def transform(self, X: Any) -> Array:
        """Fractions of the bins, shape (rows, all bins of all columns)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        parts = [_fractions(column, edges) for column, edges in zip(X.T, self.edges_, strict=True)]
        return np.hstack(parts)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The column and the upper edge of each bin."""
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        found = [
            f"{name} up to {edge:g}"
            for name, edges in zip(names, self.edges_, strict=True)
            for edge in edges[1:]
        ]
        return np.array(found, object)


class BinPositions(PiecewiseLinear):
    """The sum of the fractions of each number: its bin, and the fraction of it that is below.

    Examples
    --------
    >>> import numpy as np
    >>> encoder = BinPositions(n_bins=2).fit(np.arange(5.0)[:, None])
    >>> encoder.transform([[1.0], [3.0]])[:, 0]
    array([0.5, 1.5])
    """

    def transform(self, X: Any) -> Array:
        """Positions from 0 to the number of a column's bins, shape (rows, columns)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        found = [_positions(column, edges) for column, edges in zip(X.T, self.edges_, strict=True)]
        return np.stack(found, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The names of the columns."""
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)


def _edges(column: Array, n_bins: int) -> Array:
    values, counts = np.unique(column, return_counts=True)
    if len(values) == 1:
        return np.array([values[0], values[0] + max(1.0, np.spacing(abs(values[0])))])
    weights = np.minimum(counts, len(column) / (2 * n_bins))
    fractions = np.cumsum(weights) - weights / 2
    fractions = (fractions - fractions[0]) / (fractions[-1] - fractions[0])
    inner = np.interp(np.linspace(0, 1, n_bins + 1)[1:-1], fractions, values)
    return np.unique(np.concatenate([values[:1], inner, values[-1:]]))


def _fractions(column: Array, edges: Array) -> Array:
    with np.errstate(over="ignore"):  # above a bin of next to no width: its fraction is 1
        return np.clip((column[:, None] - edges[:-1]) / np.diff(edges), 0, 1)


def _positions(column: Array, edges: Array) -> Array:
    own = np.searchsorted(edges[1:-1], column, side="right")
    with np.errstate(over="ignore"):  # as in `_fractions`
        return own + np.clip((column - edges[own]) / np.diff(edges)[own], 0, 1)
