"""Bias, activation and noise of rows `low` to `high` of a round, forward and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.kernels.activations import activate, multiply_by_slope
from thinnet.engine.kernels.dropout import ADD, ADD_AND_RECTIFY, apply_bits_to_rows
from thinnet.engine.kernels.lanes import add_to_rows
from thinnet.engine.kernels.memory import cast, size_of, view
from thinnet.engine.kernels.noise import (
    SWEEP_ROWS,
    drop_rows,
    level_of,
    limit_of,
    noise_backward,
    noise_forward,
)
from thinnet.engine.kernels.presence import index_of, n_outputs, pick
from thinnet.engine.linking import part
from thinnet.engine.opcodes import IDENTITY, MASK, NO_NOISE, NO_PLACE, RELU

SWEEP_NUMBERS: Final = 8192  # that stay in the first cache while they are swept over again


@part
def rows_of_a_sweep(op: Any) -> Any:
    return min(max(SWEEP_NUMBERS // op.n_out, 1), SWEEP_ROWS)


@part
def elementwise(op: Any, low: Any, high: Any, k: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """Bias, activation and noise, on few rows at a time so that they stay in cache."""
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    for first in range(low, high, step):
        last = min(first + step, high)
        rows = view(w.activations, like)[op.y * w.capacity + first * op.n_out :]
        if is_plain(op, k, w):
            finish(op, first, last, n, rows, k, me, run, w)
            continue
        start_rows(op, first, last, n, w, rows)
        if op.activation != IDENTITY:
            activate_rows(op, last - first, n, rows)
        noise_forward(op, first, last, n, rows, k, me, run, w)


@part
def is_plain(op: Any, k: Any, w: Any) -> Any:
    """Bias, ReLU or nothing, dropout or nothing, in place: what one sweep can do."""
    straight = op.activation in (IDENTITY, RELU)
    masks = op.noise == NO_NOISE or (op.noise == MASK and op.map == NO_PLACE and not op.shifts)
    return straight and masks and op.bias != NO_PLACE and op.x == op.y


@part
def finish(
    op: Any, first: Any, last: Any, n: Any, rows: Any, k: Any, me: Any, run: Any, w: Any
) -> None:
    like = rows.dtype.type(0)
    values, size = w.seen if op.thin_out else w.theta, size_of(like)
    bias = np.uint64(values + op.bias * size)
    scale = level_of(op, k, 0, w, like) if op.noise == MASK else cast(1, like)
    limit = limit_of(op, k, w) if op.noise == MASK else np.uint64(0)
    what = ADD_AND_RECTIFY if op.activation == RELU else ADD
    if limit != 0 and not op.thin_out:
        drop_rows(what, op, first, last, n, bias, rows, me, run, limit, scale, w)
    else:
        every = view(w.every, np.uint8(0))
        apply_bits_to_rows(what, rows, last - first, op.n_out, n, bias, every, 0, scale)


@part
def start_rows(op: Any, first: Any, last: Any, n: Any, w: Any, rows: Any) -> None:
    """The input with its bias, where the output is to be."""
    like = rows.dtype.type(0)
    x = view(w.activations, like)[op.x * w.capacity + first * op.n_in :]
    if op.bias != NO_PLACE:
        bias = view(w.seen if op.thin_out else w.theta, like)[op.bias :]
        add_to_rows(x, last - first, op.n_in, bias, n)
    if op.x == op.y:
        return
    for r in range(last - first):
        y = rows[r * op.n_out : r * op.n_out + n]
        if op.compresses:
            pick(x[r * op.n_in :], index_of(op.side_out, w), y)
        else:
            y[:] = x[r * op.n_in : r * op.n_in + n]


@part
def activate_rows(op: Any, n_rows: Any, n: Any, rows: Any) -> None:
    if n == op.n_out:
        activate(op.activation, op.a, rows[: n_rows * n])
    else:
        for r in range(n_rows):
            activate(op.activation, op.a, rows[r * op.n_out : r * op.n_out + n])


@part
def elementwise_backward(
    op: Any, low: Any, high: Any, k: Any, me: Any, run: Any, w: Any, like: Any
) -> None:
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    # Where ReLU stands before dropout, y > 0 tells all that the mask would.
    implied = op.activation == RELU and op.noise == MASK
    for first in range(low, high, step):
        last = min(first + step, high)
        rows = view(w.slopes, like)[op.dy * w.capacity + first * op.n_out :]
        noise_backward(op, first, last, n, rows, k, me, run, implied, w)
        if op.activation != IDENTITY:
            slope_rows(op, first, last, n, k, w, rows)


@part
def slope_rows(op: Any, first: Any, last: Any, n: Any, k: Any, w: Any, rows: Any) -> None:
    """Times the derivative, from what was kept: the input or the output."""
    undo = undone(op, k, w, rows.dtype.type(0))
    column = op.x if op.by_input else op.y
    kept = view(w.activations, rows.dtype.type(0))[column * w.capacity + first * op.n_out :]
    together = n == op.n_out
    length = (last - first) * n if together else n
    for r in range(1 if together else last - first):
        dy, y = rows[r * op.n_out : r * op.n_out + length], kept[r * op.n_out :]
        multiply_by_slope(op.activation, op.a, undo, y, dy)


@part
def undone(op: Any, k: Any, w: Any, like: Any) -> Any:
    """What takes the scale of the dropout behind an activation back."""
    level = level_of(op, k, 0, w, like)
    one = cast(1, like)
    return one / level if op.noise == MASK and level != 0 else one
