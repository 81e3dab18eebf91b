"""The gradient where the whole of it is wanted: kept by one stage, and used by a later one."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Bytes, Like, Number, Numbers, Thread
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.packing import repack
from thinnet.engine.kernels.parameters import (
    Parameters,
    chance_of_weights,
    move,
    pace_of,
    unpenalised,
)
from thinnet.engine.kernels.presence import chance_of, present_of
from thinnet.engine.kernels.rows import scratch_of
from thinnet.engine.kernels.sums import lane_squares
from thinnet.engine.linking import part
from thinnet.engine.opcodes import DENSE
from thinnet.engine.records import Operation, Round, Work


@part
def keep(at: int, now: Round, w: Work, g: Numbers) -> None:
    """The gradient of a piece of the batch, joined with those before it as the tree of rows has it.

    Before piece number k as many nodes wait as k has bits that are set.  What is absent has no
    gradient in any piece.
    """
    depth, number = 0, now.piece
    while number:
        depth, number = depth + (number & 1), number >> 1
    node = node_at(depth, at, w, g)
    copy(g, node)
    number = now.piece + 1
    while depth > 0 and (now.finishes or number % 2 == 0):
        left, right = node_at(depth - 1, at, w, g), node_at(depth, at, w, g)
        for i in range(g.size):
            left[i] += right[i]
        depth, number = depth - 1, number // 2


@part
def node_at(depth: int, at: int, w: Work, g: Numbers) -> Numbers:
    """The numbers from `at` on of the gradient that waits at some depth; the first is kept."""
    like = g.dtype.type(0)
    if depth == 0:
        return view(w.gradient, like)[at : at + g.size]
    start = (depth - 1) * w.n_theta + at
    return view(w.nodes, like)[start : start + g.size]


@part
def row_width(op: Operation) -> int:
    """Numbers that a unit has in the first of an operation's two parameters."""
    return op.n_in if op.kind == DENSE else 1


@part
def absent_gradient(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """Where the gradient is kept, that of units that do not exist is 0."""
    width, gradient, units = row_width(op), view(w.gradient, like), present_of(op.side_out, w)
    for unit in range(low, high):
        if not units[unit]:
            gradient[op.weights + unit * width : op.weights + (unit + 1) * width] = 0
            gradient[op.bias + unit] = 0


@part
def apply_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> Number:
    """Use the gradient that was kept; `low` and `high` count all units."""
    units, columns, total = present_of(op.side_out, w), present_of(op.side_in, w), cast(0, like)
    factor, chance = cast(clip_factor(w), like), chance_of(op.side_out, w)
    if op.kind == DENSE:
        step = pace_of(now, chance_of_weights(op, w), w)
        for unit in range(low, high):
            weights = Parameters(op.weights + unit * op.n_in, op.l1, op.l2, op.max_norm)
            g = scaled(weights.at, op.n_in, factor, w)
            if units[unit]:
                total += move(weights, columns, step, w, g)
        repack(op, low, high, me, now, w, scratch_of(me, w, like))
    else:
        total += apply_units(op.weights, low, high, factor, units, chance, now, w)
    return total + apply_units(op.bias, low, high, factor, units, chance, now, w)


@part
def apply_units(
    at: int, low: int, high: int, factor: Number, units: Bytes, chance: float, now: Round, w: Work
) -> Number:
    g = scaled(at + low, high - low, factor, w)
    return move(unpenalised(at + low), units[low:high], pace_of(now, chance, w), w, g)


@part
def scaled(at: int, n: int, factor: Number, w: Work) -> Numbers:
    """A part of the gradient, after it has been multiplied by `factor` where it stands."""
    g = view(w.gradient, factor)[at : at + n]
    if factor != 1:
        for i in range(n):
            g[i] *= factor
    return g


@part
def squares(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """The squares of a task's rows of the gradient; what has one number for each unit is a row."""
    gradient, out = view(w.gradient, like), view(w.squares, 0.0)[op.squares :]
    if op.kind == DENSE:
        units, before = op.n_out, op.n_out
        for unit in range(low, high):
            out[unit] = lane_squares(gradient[op.weights + unit * op.n_in :][: op.n_in])
    else:
        units, before = op.n_units, 1
        if low == 0:
            out[0] = lane_squares(gradient[op.weights : op.weights + units])
    if low == 0:
        out[before] = lane_squares(gradient[op.bias : op.bias + units])


@part
def clip_factor(w: Work) -> float:
    """What scales the gradient back to the norm that it may have."""
    if w.clip_norm == np.inf:
        return 1.0
    parts, total = view(w.squares, 0.0), 0.0
    for i in range(w.n_squares):
        total += parts[i]
    norm = np.sqrt(total)
    return 1.0 if norm <= w.clip_norm else w.clip_norm / norm
