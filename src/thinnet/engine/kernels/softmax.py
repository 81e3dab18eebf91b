"""The softmax of a row, and the layer that applies it to groups of units."""

from __future__ import annotations

from typing import NamedTuple

from thinnet.engine.aliases import Like, Number, Numbers
from thinnet.engine.kernels.functions import exp
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.sums import lane_dot, lane_sum
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Work


class Exponentials(NamedTuple):
    """Of a row z: its maximum, and the sum of ``exp(z - maximum)``."""

    top: Number
    total: Number


@part
def exponentials(z: Numbers, e: Numbers) -> Exponentials:
    """``e = exp(z - maximum)``."""
    top = z[0]
    for i in range(1, z.size):
        top = z[i] if z[i] > top or z[i] != z[i] else top
    for i in range(z.size):
        e[i] = exp(z[i] - top)
    return Exponentials(top, lane_sum(e))


@part
def softmax(z: Numbers, p: Numbers) -> None:
    """``p = softmax(z)``."""
    inverse = z.dtype.type(1) / exponentials(z, p).total
    for i in range(p.size):
        p[i] *= inverse


@part
def group_at(values: Numbers, column: int, op: Operation, group: int, w: Work) -> Numbers:
    """The units of a group, of which each row has as many."""
    row = group // op.groups * op.stride_out + group % op.groups * op.n_units
    return values[column * w.capacity + row :][: op.n_units]


@part
def softmax_layer(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations = view(w.activations, like)
    for group in range(low * op.groups, high * op.groups):
        x = group_at(activations, op.x, op, group, w)
        softmax(x, group_at(activations, op.y, op, group, w))


@part
def softmax_backward(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    for group in range(low * op.groups, high * op.groups):
        y, dy = group_at(activations, op.y, op, group, w), group_at(slopes, op.dy, op, group, w)
        mean = lane_dot(y, dy)
        for i in range(y.size):
            dy[i] = y[i] * (dy[i] - mean)
