"""Sums over draws whose bits don't depend on the other rows of an array.

NumPy adds in an order that depends on the layout in memory, and so on the shape.  With each row's
draws side by side in memory the order is the same for every row.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from thinnet.arrays import Array


def side_by_side(values: Array) -> Array:
    """Draws of shape (n_draws, ...) as an array of shape (..., n_draws)."""
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


def mean(values: Array) -> Array:
    """The mean over draws."""
    return side_by_side(values).mean(axis=-1)


def variance(values: Array, ddof: int = 0) -> Array:
    """The variance over draws, with the divisor ``n_draws - ddof``."""
    return side_by_side(values).var(axis=-1, ddof=ddof)


def log_mean_exp(values: Array) -> Array:
    """The log of the mean of exponentials over draws."""
    return np.asarray(special.logsumexp(side_by_side(values), axis=-1) - math.log(len(values)))
