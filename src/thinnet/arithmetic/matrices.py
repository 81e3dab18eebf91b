"""Matrices with orthonormal columns, from reflections."""

from __future__ import annotations

import math

import numpy as np

from thinnet.arithmetic.sums import folded_sum
from thinnet.arrays import Array


def orthonormal(g: Array) -> Array:
    """Orthonormal columns from a matrix of normal numbers with at least as many rows.

    A product of reflections, one for the numbers of each column from the diagonal down (Stewart
    1980, section 3); the first column points where that of `g` does.
    """
    rows, columns = g.shape
    q = np.zeros((rows, columns))
    for k in reversed(range(columns)):
        v = g[k:, k].copy()
        norm = math.sqrt(folded_sum(v * v))
        sign = -1.0 if v[0] < 0 else 1.0
        v[0] += sign * norm
        q[k, k] = -sign
        part = q[k:, k:]
        along = folded_sum(v[:, None] * part)
        part -= v[:, None] * (along * (2 / folded_sum(v * v)))
    return q
