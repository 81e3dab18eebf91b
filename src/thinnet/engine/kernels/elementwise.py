"""Bias, activation and noise of rows `low` to `high` of a round, forward and back."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Like, Number, Numbers, Thread
from thinnet.engine.kernels.activations import activate, multiply_by_slope
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.dropout import ADD, ADD_AND_RECTIFY, Before, apply_bits_to_rows
from thinnet.engine.kernels.lanes import add_to_rows
from thinnet.engine.kernels.memory import cast, size_of, view
from thinnet.engine.kernels.noise import (
    SWEEP_ROWS,
    Sweep,
    drop_rows,
    level_of,
    mask_if_any,
    noise_backward,
    noise_forward,
)
from thinnet.engine.kernels.presence import n_outputs, pick
from thinnet.engine.linking import part
from thinnet.engine.opcodes import IDENTITY, MASK, NO_NOISE, NO_PLACE, RELU
from thinnet.engine.records import Operation, Round, Work

SWEEP_NUMBERS: Final = 8192  # that stay in the first cache while they are swept over again


@part
def rows_of_a_sweep(op: Operation) -> int:
    return min(max(SWEEP_NUMBERS // op.stride_out, 1), SWEEP_ROWS)


@part
def elementwise(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """Bias, activation and noise, on few rows at a time so that they stay in cache."""
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    for first in range(low, high, step):
        sweep = Sweep(first, min(first + step, high), n)
        rows = view(w.activations, like)[op.y * w.capacity + first * op.stride_out :]
        if is_plain(op):
            finish(op, sweep, rows, me, now, w)
            continue
        start_rows(op, sweep, rows, w)
        if op.activation != IDENTITY:
            activate_rows(op, sweep, rows)
        noise_forward(op, sweep, rows, me, now, w)


@part
def is_plain(op: Operation) -> bool:
    """Bias, ReLU or dropout or both, in place: what one sweep can do."""
    masks = op.noise == MASK and op.map == NO_PLACE and not op.shifts
    rectifies = op.activation == RELU and op.noise == NO_NOISE
    straight = rectifies or (masks and op.activation in (IDENTITY, RELU))
    return straight and op.bias != NO_PLACE and op.x == op.y


@part
def finish(op: Operation, sweep: Sweep, rows: Numbers, me: Thread, now: Round, w: Work) -> None:
    like, n_rows = rows.dtype.type(0), sweep.high - sweep.low
    values = w.seen if op.thin_out else w.theta
    what = ADD_AND_RECTIFY if op.activation == RELU else ADD
    before = Before(what, np.uint64(values + op.bias * size_of(like)))
    mask = mask_if_any(op, now, w, like)
    if mask.limit != 0 and not op.thin_out:
        drop_rows(before, op, sweep, rows, mask, me, now, w)
    else:
        every = view(w.every, np.uint8(0))
        apply_bits_to_rows(before, rows, n_rows, op.stride_out, sweep.n, every, 0, mask.scale)


@part
def start_rows(op: Operation, sweep: Sweep, rows: Numbers, w: Work) -> None:
    """The input with its bias, where the output is to be."""
    like, n, n_rows = rows.dtype.type(0), sweep.n, sweep.high - sweep.low
    x = view(w.activations, like)[op.x * w.capacity + sweep.low * op.stride_in :]
    if op.bias != NO_PLACE:
        bias = view(w.seen if op.thin_out else w.theta, like)[op.bias :]
        add_to_rows(x, n_rows, op.stride_in, bias, n)
    if op.x == op.y:
        return
    for r in range(n_rows):
        y = rows[r * op.stride_out : r * op.stride_out + n]
        if op.compresses:
            pick(x[r * op.stride_in :][: op.n_in], op.side_out, w, y)
        else:
            copy(x[r * op.stride_in :], y)


@part
def activate_rows(op: Operation, sweep: Sweep, rows: Numbers) -> None:
    n, n_rows = sweep.n, sweep.high - sweep.low
    if n == op.n_out:  # what rows are filled up with may as well be activated
        activate(op.activation, op.a, rows[: n_rows * op.stride_out])
    else:
        for r in range(n_rows):
            activate(op.activation, op.a, rows[r * op.stride_out : r * op.stride_out + n])


@part
def elementwise_backward(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    # Where ReLU stands before dropout, y > 0 tells all that the mask would.
    implied = op.activation == RELU and op.noise == MASK
    for first in range(low, high, step):
        sweep = Sweep(first, min(first + step, high), n)
        rows = view(w.slopes, like)[op.dy * w.capacity + first * op.stride_out :]
        noise_backward(op, sweep, rows, implied, me, now, w)
        if op.activation != IDENTITY:
            slope_rows(op, sweep, rows, now, w)


@part
def slope_rows(op: Operation, sweep: Sweep, rows: Numbers, now: Round, w: Work) -> None:
    """Times the derivative, from what was kept: the input or the output."""
    like, n, n_rows = rows.dtype.type(0), sweep.n, sweep.high - sweep.low
    undo, column = undone(op, now, w, like), op.x if op.by_input else op.y
    kept = view(w.activations, like)[column * w.capacity + sweep.low * op.stride_out :]
    together = n == op.n_out
    length = n_rows * op.stride_out if together else n
    for r in range(1 if together else n_rows):
        dy = rows[r * op.stride_out : r * op.stride_out + length]
        multiply_by_slope(op.activation, op.a, undo, kept[r * op.stride_out :], dy)


@part
def undone(op: Operation, now: Round, w: Work, like: Like) -> Number:
    """What takes the scale of the dropout behind an activation back."""
    level = level_of(op, 0, now, w, like)
    one = cast(1, like)
    return one / level if op.noise == MASK and level != 0 else one
