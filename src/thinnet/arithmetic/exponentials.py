"""Softmax, and logarithms of sums of exponentials, in float64."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arithmetic.functions import exp, log
from thinnet.arithmetic.sums import lane_sum
from thinnet.arrays import Array

PART: Final = 2**15  # numbers at a time


class Exponentials(NamedTuple):
    """Of rows as columns: ``d = z - top``, and the sum of its exponentials e."""

    d: Array
    e: Array
    total: Array

    @property
    def probabilities(self) -> Array:
        return self.e * (1 / self.total)


def exponentials(columns: Array) -> Exponentials:
    """The exponentials over the first axis, each less the greatest."""
    with np.errstate(invalid="ignore"):
        d = columns - columns.max(axis=0)
    e = exp(d)
    return Exponentials(d, e, lane_sum(e))


def as_columns(rows: Array) -> Array:
    """Rows of shape (rows, n) in float64 as contiguous columns, shape (n, rows)."""
    return np.ascontiguousarray(rows.T, np.float64)


def softmax(z: Any) -> Array:
    """``e / total`` over the last axis, rounded to the type of `z`."""
    z = np.asarray(z)
    rows = z.reshape(-1, z.shape[-1])
    out = np.empty(rows.shape, z.dtype)
    step = max(PART // z.shape[-1], 1)
    for start in range(0, len(rows), step):
        part = exponentials(as_columns(rows[start : start + step]))
        out[start : start + step] = part.probabilities.T
    return out.reshape(z.shape)


def log_sum_exp(x: Array) -> Array:
    """The log of the sum of exponentials over the first axis; minus infinity if all are 0."""
    top = x.max(axis=0)
    shift = np.where(np.isfinite(top), top, 0.0)
    return shift + log(lane_sum(exp(x - shift)))
