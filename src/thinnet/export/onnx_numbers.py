"""Columns of numbers in ONNX: clipped, as normal scores of earlier models, and piecewise linear.

All columns are encoded together, as a table of shape (rows, columns) in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.export.onnx_graph import Value
from thinnet.tables.columns.clipping import FAR, LARGEST, SQUARED, SmoothlyClipped

# Wichura 1988, algorithm AS 241 (PPND16): numerators and denominators, highest power first.
CENTRE: Final = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.3871328727963666080,
    ),
    (
        5226.495278852854561,
        28729.085735721942674,
        39307.895800092710610,
        21213.794301586595867,
        5394.1960214247511077,
        687.18700749205790830,
        42.313330701600911252,
        1.0,
    ),
)
TAIL: Final = (
    (
        7.7454501427834140764e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258,
        3.64784832476320460504,
        5.76949722146069140550,
        4.63033784615654529590,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.475938084995344946e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940,
        2.05319162663775882187,
        1.0,
    ),
)
EDGE: Final = 1e-7  # scikit-learn's BOUNDS_THRESHOLD, of numbers and of probabilities
LEAST: Final = EDGE - float(np.spacing(1.0))


def clipped(x: Value, scaler: SmoothlyClipped) -> Value:
    """The features of `thinnet.tables.columns.clipping.SmoothlyClipped`."""
    inside = x.at_least(scaler.low_[None, :]).at_most(scaler.high_[None, :])
    away = (inside - scaler.center_[None, :]).at_least(-LARGEST).at_most(LARGEST)
    z = (away / scaler.scale_[None, :]).at_least(-FAR).at_most(FAR)
    return z / (z * z / SQUARED + 1.0).to("Sqrt")


def normal_scores(x: Value, quantiles: Array, references: Array) -> Value:
    """The values of scikit-learn's QuantileTransformer, `quantiles` of (quantiles, columns)."""
    p = _fraction_below(x, quantiles.T, references)
    p = p.where(x + EDGE <= quantiles[-1:], 1.0)
    p = p.where(x - EDGE >= quantiles[:1], 0.0)
    return normal_quantile(p.at_least(LEAST).at_most(1.0 - LEAST))


def _fraction_below(x: Value, knots: Array, references: Array) -> Value:
    """The fraction of values below x: linear between the knots, which ascend.

    At a knot that occurs several times it is the middle of its references.  `knots` have the shape
    (columns, knots).
    """
    at = _last_not_above(x, knots)
    start, low = at.pick(knots.ravel()), at.pick(np.tile(references, len(knots)))
    slope, middle = at.pick(_slopes(knots, references)), at.pick(_middles(knots, references))
    return middle.where(x.equals(start), slope * (x - start) + low)


def _slopes(knots: Array, references: Array) -> Array:
    """The slopes from each knot to the next; 0 between equal knots, where none is needed."""
    widths, rises = np.diff(knots), np.diff(references)[None, :]
    slopes = np.divide(rises, widths, out=np.zeros_like(widths), where=widths > 0)
    return np.ravel(np.pad(slopes, ((0, 0), (0, 1))))


def _middles(knots: Array, references: Array) -> Array:
    """For each knot the mean of the first and the last reference of equal knots."""
    first = [references[np.searchsorted(column, column, "left")] for column in knots]
    last = [references[np.searchsorted(column, column, "right") - 1] for column in knots]
    return np.ravel(np.add(first, last) / 2)


def _last_not_above(x: Value, knots: Array) -> Value:
    """The place in ``knots.ravel()`` of a column's last knot <= x, or of its first if none is."""
    columns, n = knots.shape
    starts = (np.arange(columns) * n)[None, :]
    at = x.graph.value(starts, np.dtype(np.int64))
    for step in (2**i for i in reversed(range((n - 1).bit_length()))):
        further = (at + step).at_most(starts + n - 1)
        at = at.where(further.pick(knots.ravel()) > x, further)
    return at


def normal_quantile(p: Value) -> Value:
    """The standard normal quantile, for p from exp(-25) to 1 - exp(-25)."""
    q = p - 0.5
    centre = q * _ratio((q * q).to("Neg") + 0.180625, CENTRE)
    nearer = p.at_most(p.to("Neg") + 1.0)
    tail = q.to("Sign") * _ratio(nearer.to("Log").to("Neg").to("Sqrt") - 1.6, TAIL)
    return centre.where(q.to("Abs") <= 0.425, tail)


def _ratio(r: Value, coefficients: Sequence[Sequence[float]]) -> Value:
    above, below = (_polynomial(r, part) for part in coefficients)
    return above / below


def _polynomial(r: Value, coefficients: Sequence[float]) -> Value:
    first, second, *others = coefficients
    return reduce(lambda total, c: total * r + c, others, r * first + second)


def pieces(x: Value, edges: Sequence[Array]) -> Value:
    """The features of `thinnet.tables.columns.pieces.PiecewiseLinear`."""
    columns = np.repeat(np.arange(len(edges)), [len(column) - 1 for column in edges])
    lower = np.concatenate([column[:-1] for column in edges])
    widths = np.concatenate([np.diff(column) for column in edges])
    fractions = (x.columns(columns) - lower) / widths
    return fractions.at_least(0.0).at_most(1.0)
