"""Sums over draws whose bits don't depend on what rows stand beside a row.

NumPy adds in an order that follows the layout in memory, and so the shape.  With each row's draws
side by side it is the same order for every row.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from thinnet.arrays import Array


def side_by_side(values: Array) -> Array:
    """Draws, shape (n_draws, ...), as an array of shape (..., n_draws)."""
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


def mean(values: Array) -> Array:
    """Over draws."""
    return side_by_side(values).mean(axis=-1)


def variance(values: Array, ddof: int = 0) -> Array:
    """Over draws."""
    return side_by_side(values).var(axis=-1, ddof=ddof)


def log_mean_exp(values: Array) -> Array:
    """The log of the mean of exponentials over draws."""
    return np.asarray(special.logsumexp(side_by_side(values), axis=-1) - math.log(len(values)))
