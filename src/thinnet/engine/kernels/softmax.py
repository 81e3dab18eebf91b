"""The softmax of a row, and the layer that applies it to groups of units."""

from __future__ import annotations

import math

from thinnet.engine.aliases import Like, Number, Numbers
from thinnet.engine.kernels.functions import exp
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.rows import row_at
from thinnet.engine.linking import exact_part, part
from thinnet.engine.records import Operation, Work


@part
def softmax(z: Numbers, p: Numbers) -> tuple[Number, Number]:
    """``p = softmax(z)``; gives the maximum of z and the log of the sum of ``exp(z - maximum)``."""
    top = z[0]
    for i in range(1, z.size):
        top = z[i] if z[i] > top or z[i] != z[i] else top
    total = z.dtype.type(0)
    exponentials(z, top, p)
    for i in range(z.size):
        total += p[i]
    multiply(p, z.dtype.type(1) / total)
    return top, z.dtype.type(math.log(total))


@exact_part
def exponentials(z: Numbers, top: Number, p: Numbers) -> None:
    for i in range(z.size):
        p[i] = exp(z[i] - top)


@exact_part
def multiply(p: Numbers, by: Number) -> None:
    for i in range(p.size):
        p[i] *= by


@part
def softmax_layer(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations = view(w.activations, like)
    for r in range(low * op.groups, high * op.groups):
        x = row_at(activations, op.x, r, op.n_units, op.n_units, w)
        y = row_at(activations, op.y, r, op.n_units, op.n_units, w)
        softmax(x, y)


@part
def softmax_backward(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    for r in range(low * op.groups, high * op.groups):
        y = row_at(activations, op.y, r, op.n_units, op.n_units, w)
        dy = row_at(slopes, op.dy, r, op.n_units, op.n_units, w)
        mean = y.dtype.type(0)
        for i in range(y.size):
            mean += y[i] * dy[i]
        softmax_slopes(y, mean, dy)


@exact_part
def softmax_slopes(y: Numbers, mean: Number, dy: Numbers) -> None:
    for i in range(y.size):
        dy[i] = y[i] * (dy[i] - mean)
