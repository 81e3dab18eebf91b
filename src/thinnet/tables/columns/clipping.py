"""Robust scaling and smooth clipping of numbers (Holzmüller et al. 2024, section 3)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from thinnet.arrays import Array

LARGEST: Final = float(np.finfo(np.float64).max)
FAR: Final = 1e9  # the limit of scaled numbers, whose features are 3 in float64
SQUARED: Final = 9.0  # features lie between -3 and 3


class SmoothlyClipped(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Each number z as ``z / sqrt(1 + z^2 / 9)``, where ``z = (x - median) / (q75 - q25)``.

    Between the quartiles of a column this is nearly z; far from them it nears -3 and 3, so that no
    outlier moves a network far, and yet the order of all numbers stays.  Where the quartiles are
    equal, half of the range takes their place.  Numbers beyond the range of `fit` count as its end.

    Attributes
    ----------
    center_ : array of float64, shape (columns,)
        The medians.
    scale_ : array of float64, shape (columns,)
        The quartiles' distances; 1 for a constant column.
    low_, high_ : array of float64, shape (columns,)
        The ranges.

    Raises
    ------
    ValueError
        In fit, if a number is not finite.

    References
    ----------
    Holzmüller, Grinsztajn and Steinwart 2024, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> scaler = SmoothlyClipped().fit(np.arange(5.0)[:, None])
    >>> scaler.transform([[2.0], [4.0], [1e6]]).round(2)
    array([[0.  ],
           [0.95],
           [0.95]])
    """

    def fit(self, X: Any, y: Any = None) -> SmoothlyClipped:
        """Find the medians and the quartiles."""
        with np.errstate(over="ignore", invalid="ignore"):  # of the sum that it looks at first
            X = validate_data(self, X, dtype=np.float64)
        halves = np.quantile(X / 2, (0.25, 0.5, 0.75), axis=0)  # whose differences are finite
        first, self.center_, third = 2 * halves
        self.low_, self.high_ = X.min(axis=0), X.max(axis=0)
        with np.errstate(over="ignore"):
            near, whole = third - first, self.high_ - self.low_
        found = np.where(near > 0, near, np.minimum(whole, LARGEST) / 2)
        self.scale_ = np.minimum(np.where(found > 0, found, 1.0), LARGEST)
        return self

    def transform(self, X: Any) -> Array:
        """The features, shape (rows, columns)."""
        check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):  # of the sum that it looks at first
            X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.of(X)

    def of(self, x: Array) -> Array:
        """The features of numbers that were checked."""
        inside = np.clip(x, self.low_, self.high_)
        with np.errstate(over="ignore"):
            away = np.clip(inside - self.center_, -LARGEST, LARGEST)
            z = np.clip(away / self.scale_, -FAR, FAR)
        return np.asarray(z / np.sqrt(z * z / SQUARED + 1.0))
