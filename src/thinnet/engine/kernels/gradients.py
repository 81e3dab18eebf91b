"""From the slopes of a round to new parameters: a task is some units of one operation.

The gradient of a task's units is computed, penalised and used while it is in cache, without ever
being written; where the whole gradient is wanted (clipping, micro-batches, callbacks after a step)
it is written first, and a later stage uses it.  Functions that change parameters give 0, or NaN if
one of them is not finite any more.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Like, Number, Numbers, Thread
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels.lanes import expand
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.optimizers import (
    Pace,
    limit_norm,
    not_finite,
    pace_at,
    penalise,
    update,
)
from thinnet.engine.kernels.presence import (
    chance_of,
    in_use,
    index_of,
    mask_weights,
    present_of,
    unit_at,
)
from thinnet.engine.kernels.products import bias_gradient, weight_gradient
from thinnet.engine.kernels.rows import scratch_of
from thinnet.engine.kernels.sums import lane_squares
from thinnet.engine.linking import part
from thinnet.engine.opcodes import BATCH_NORM, DENSE
from thinnet.engine.records import Operation, Round, Work

TOGETHER: Final = 8192  # numbers of a small layer that are updated in one sweep


class Parameters(NamedTuple):
    """Neighbours in theta from `at` on, the penalties that they bear, and their longest norm."""

    at: int
    l1: float
    l2: float
    max_norm: float


@part
def unpenalised(at: int) -> Parameters:
    return Parameters(at, 0.0, 0.0, np.inf)


@part
def settle(
    parameters: Parameters, present: Bytes, pace: Pace, now: Round, w: Work, g: Numbers
) -> Number:
    """What becomes of `g`, the gradient of some parameters."""
    like, at, l1, l2 = g.dtype.type(0), parameters.at, parameters.l1, parameters.l2
    if now.finishes and (l1 != 0 or l2 != 0):
        by = now.penalised
        penalise(view(w.theta, like)[at : at + g.size], by * l1, by * l2, g)
    if w.keeps_gradient:
        keep(view(w.gradient, like)[at : at + g.size], present, now.adds, g)
        return like
    return move(parameters, present, pace, w, g)


@part
def keep(kept: Numbers, present: Bytes, adds: int, g: Numbers) -> None:
    for i in range(g.size):
        new = g[i] if present[i] else g.dtype.type(0)
        kept[i] = kept[i] + new if adds else new


@part
def move(parameters: Parameters, present: Bytes, pace: Pace, w: Work, g: Numbers) -> Number:
    """One step of some parameters, where they are present."""
    like, at = g.dtype.type(0), parameters.at
    theta = view(w.theta, like)[at : at + g.size]
    first, second = view(w.first, like)[at:], view(w.second, like)[at:]
    update(w.optimizer, view(w.settings, 0.0), pace, present, theta, g, first, second)
    if parameters.max_norm < np.inf:
        limit_norm(theta, parameters.max_norm)
    return not_finite(theta)


@part
def pace_of(now: Round, chance: float, w: Work) -> Pace:
    """After the steps that what exists with probability `chance` has been through, with this."""
    return pace_at(w.optimizer, view(w.settings, 0.0), now.learning_rate, 1 + now.count * chance)


@part
def chance_of_weights(op: Operation, w: Work) -> float:
    return chance_of(op.side_out, w) * chance_of(op.side_in, w)


@part
def settle_units(
    op: Operation,
    parameters: Parameters,
    low: int,
    high: int,
    now: Round,
    w: Work,
    g: Numbers,
    spare: Numbers,
) -> Number:
    """`settle` for one parameter of each of the places `low` to `high`."""
    if high == low:
        return g.dtype.type(0)
    at, l1, l2, most = parameters
    step = pace_of(now, chance_of(op.side_out, w), w)
    start, stop = unit_at(op, low, w), unit_at(op, high - 1, w) + 1
    present, here = present_of(op.side_out, w)[start:stop], Parameters(at + start, l1, l2, most)
    if op.thin_out:
        whole, index = spare[: stop - start], index_of(op.side_out, w)
        whole[:] = 0
        for i in range(high - low):
            whole[index[low + i] - start] = g[i]
        return settle(here, present, step, now, w, whole)
    return settle(here, present, step, now, w, g)


@part
def dense_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> Number:
    """W and b of the places `low` to `high`."""
    units, scratch = high - low, scratch_of(me, w, like)
    weights, both = units * op.stride_in, units * (op.stride_in + 1)
    g, b, spare = scratch[:weights], scratch[weights:both], scratch[both : w.scratch_size]
    weight_gradient(op, low, high, now, w, g, spare)
    bias_gradient(op, low, now, w, b, spare)
    biases = Parameters(op.bias, op.bias_l1, op.bias_l2, np.inf)
    total = settle_units(op, biases, low, high, now, w, b, spare)
    plain = op.side_in == 0 and op.side_out == 0 and not op.dropped and op.max_norm == np.inf
    if plain and units * op.n_in <= TOGETHER:
        together = Parameters(op.weights + low * op.n_in, op.l1, op.l2, np.inf)
        ones, close = view(w.ones, np.uint8(0)), close_rows(g, units, op.n_in, op.stride_in)
        return total + settle(together, ones, pace_of(now, 1.0, w), now, w, close)
    return total + settle_rows(op, low, high, me, now, w, g, spare)


@part
def close_rows(g: Numbers, n_rows: int, n: int, stride: int) -> Numbers:
    """The rows of n numbers, moved so that one begins where the other ends."""
    for r in range(1, n_rows):
        for i in range(n):
            g[r * n + i] = g[r * stride + i]
    return g[: n_rows * n]


@part
def settle_rows(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, g: Numbers, spare: Numbers
) -> Number:
    """The weights of one unit after the other."""
    columns, units = present_of(op.side_in, w), present_of(op.side_out, w)
    step, total = pace_of(now, chance_of_weights(op, w), w), g.dtype.type(0)
    for place in range(low, high):
        unit = unit_at(op, place, w)
        if not units[unit]:
            continue
        row = g[(place - low) * op.stride_in :][: op.n_in]
        if op.thin_in:
            expand(row, columns, spare[: op.n_in])
            row = spare[: op.n_in]
        if op.dropped:
            mask_weights(op, unit, me, now, w, row)
        weights = Parameters(op.weights + unit * op.n_in, op.l1, op.l2, op.max_norm)
        total += settle(weights, columns, step, now, w, row)
    return total


@part
def norm_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> Number:
    """gamma and beta of a normalisation, whose gradients a BatchNorm has already."""
    n, scratch = high - low, scratch_of(me, w, like)
    gamma, beta, spare = scratch[:n], scratch[n : 2 * n], scratch[2 * n : w.scratch_size]
    if op.kind == BATCH_NORM:
        gamma[:] = norms.figure(op, norms.PRODUCT, low, high, w, like)
        beta[:] = norms.figure(op, norms.SUM, low, high, w, like)
    else:
        norms.layer_norm_gradients(op, low, now, w, gamma, beta, spare)
    total = settle_units(op, unpenalised(op.weights), low, high, now, w, gamma, spare)
    return total + settle_units(op, unpenalised(op.bias), low, high, now, w, beta, spare)


@part
def gradient_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> Number:
    if w.keeps_gradient and not now.adds and op.side_out:
        absent_gradient(op, low, high, w, like)
    low, high = in_use(op, low, high, w)
    if op.kind == DENSE:
        return dense_task(op, low, high, me, now, w, like)
    return norm_task(op, low, high, me, now, w, like)


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
def apply_task(op: Operation, low: int, high: int, now: Round, w: Work, like: Like) -> Number:
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
    gradient, out, n = view(w.gradient, like), view(w.squares, 0.0)[op.squares :], op.n_out
    if op.kind == DENSE:
        for unit in range(low, high):
            out[unit] = lane_squares(gradient[op.weights + unit * op.n_in :][: op.n_in])
    else:
        n = op.n_units
        if low == 0:
            out[0] = lane_squares(gradient[op.weights : op.weights + n])
    if low == 0:
        out[n if op.kind == DENSE else 1] = lane_squares(gradient[op.bias : op.bias + n])


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
