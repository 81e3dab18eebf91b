"""Weights from where they are learned to where products read them (`panels`)."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Like, Numbers, Thread
from thinnet.engine.kernels.lanes import copy_row
from thinnet.engine.kernels.memory import address_of, size_of, view
from thinnet.engine.kernels.panels import padded, panel_width, put_transposed, vector_of
from thinnet.engine.kernels.presence import (
    in_use,
    index_of,
    mask_weights,
    n_inputs,
    n_outputs,
    pick,
    unit_at,
)
from thinnet.engine.kernels.rows import scratch_of
from thinnet.engine.kernels.tiles import VECTORS
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work


@part
def pack(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """What exists of W and b of the places `low` to `high`, masked where DropConnect drops."""
    low, high = in_use(op, low, high, w)
    lanes = vector_of(size_of(like))
    for first in range(low, high, lanes):
        rows = scratch_of(me, w, like)[: lanes * op.stride_in]
        fill(op, first, min(first + lanes, high), me, now, w, rows)
        to_forward(op, first, w, rows)
        if op.backward_panels != NO_PLACE:
            to_backward(op, first, min(first + lanes, high), w, rows)
    if op.thin_out:
        theta, seen = view(w.theta, like), view(w.seen, like)
        for place in range(low, high):
            seen[op.bias + place] = theta[op.bias + unit_at(op, place, w)]


@part
def fill(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, rows: Numbers
) -> None:
    """The weights of a vector of units, a row each, zero where nothing is."""
    like, n_in, columns = rows.dtype.type(0), n_inputs(op, w), index_of(op.side_in, w)
    theta = view(w.theta, like)
    rows[:] = 0
    for place in range(first, last):
        unit, start = unit_at(op, place, w), (place - first) * op.stride_in
        row, out = theta[op.weights + unit * op.n_in :], rows[start : start + n_in]
        if op.thin_in:
            pick(row, columns, out)
        else:
            copy_row(np.uint64(row.ctypes.data), out)
        if op.dropped:
            mask_weights(op, unit, me, now, w, out)


@part
def to_forward(op: Operation, first: int, w: Work, rows: Numbers) -> None:
    """Units become columns of a panel whose rows are inputs."""
    like, size = rows.dtype.type(0), rows.itemsize
    together = VECTORS * vector_of(size)
    start = first // together * together
    width = panel_width(start, n_outputs(op, w), size)
    panel = w.panels + (op.forward_panels + start * padded(op.n_in, size) + first - start) * size
    put_transposed(address_of(rows), op.stride_in, n_inputs(op, w), panel, width, like)


@part
def to_backward(op: Operation, first: int, last: int, w: Work, rows: Numbers) -> None:
    """Units become rows of panels whose columns are inputs."""
    size, n_in = rows.itemsize, n_inputs(op, w)
    room, panels = padded(op.n_out, size), view(w.panels, rows.dtype.type(0))
    for start in range(0, n_in, VECTORS * vector_of(size)):
        width = panel_width(start, n_in, size)
        for place in range(first, last):
            row = rows[(place - first) * op.stride_in + start :]
            at = op.backward_panels + start * room + place * width
            copy_row(np.uint64(row.ctypes.data), panels[at : at + width])
