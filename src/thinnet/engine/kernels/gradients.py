"""From the slopes of a round to new parameters: a task is some units of one operation.

The gradient of a task's units is computed, penalised and used while it is in cache, without ever
being written; where the whole gradient is wanted (clipping, micro-batches, callbacks after a step)
it is written first, and a later stage uses it.  Functions that change parameters give 0, or NaN if
one of them is not finite any more.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Bytes, Like, Number, Numbers, Thread
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.kept_gradients import absent_gradient, keep
from thinnet.engine.kernels.lanes import expand
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.optimizers import Pace
from thinnet.engine.kernels.packing import repack
from thinnet.engine.kernels.panels import vector_of
from thinnet.engine.kernels.parameters import (
    Parameters,
    add_penalties,
    chance_of_weights,
    move,
    pace_of,
    unpenalised,
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
from thinnet.engine.linking import part
from thinnet.engine.opcodes import BATCH_NORM, DENSE
from thinnet.engine.records import Operation, Round, Work

TOGETHER: Final = 8192  # numbers of a small layer that are updated in one sweep


@part
def settle(
    parameters: Parameters, present: Bytes, pace: Pace, now: Round, w: Work, g: Numbers
) -> Number:
    """What becomes of `g`, the gradient of some parameters."""
    like, at = g.dtype.type(0), parameters.at
    if w.keeps_gradient:
        keep(at, now, w, g)
        if now.finishes:
            kept = view(w.gradient, like)[at : at + g.size]
            add_penalties(parameters, present, now, w, kept)
        return like
    add_penalties(parameters, present, now, w, g)
    return move(parameters, present, pace, w, g)


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
        total += settle(together, ones, pace_of(now, 1.0, w), now, w, close)
        repack_if_updated(op, low, high, me, now, w, spare)
        return total
    for first in range(low, high, vector_of(g.itemsize)):
        last, rows = min(first + vector_of(g.itemsize), high), g[(first - low) * op.stride_in :]
        total += settle_rows(op, first, last, me, now, w, rows, spare)
        repack_if_updated(op, first, last, me, now, w, spare)
    return total


@part
def repack_if_updated(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, spare: Numbers
) -> None:
    if not w.keeps_gradient:
        repack(op, low, high, me, now, w, spare)


@part
def close_rows(g: Numbers, n_rows: int, n: int, stride: int) -> Numbers:
    """The rows of n numbers, moved so that one begins where the other ends."""
    for r in range(1, n_rows):
        row = g[r * stride :]
        copy(row, g[r * n : (r + 1) * n])
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
        copy(norms.figure(op, norms.PRODUCT, low, high, w, like), gamma)
        copy(norms.figure(op, norms.SUM, low, high, w, like), beta)
    else:
        norms.layer_norm_gradients(op, low, now, w, gamma, beta, spare)
    total = settle_units(op, unpenalised(op.weights), low, high, now, w, gamma, spare)
    return total + settle_units(op, unpenalised(op.bias), low, high, now, w, beta, spare)


@part
def gradient_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> Number:
    if w.keeps_gradient and now.piece == 0 and op.side_out:
        absent_gradient(op, low, high, w, like)
    low, high = in_use(op, low, high, w)
    if op.kind == DENSE:
        return dense_task(op, low, high, me, now, w, like)
    return norm_task(op, low, high, me, now, w, like)
