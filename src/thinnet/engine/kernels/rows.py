"""Rows of a round where they lie: those that come in, and those that are asked for."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Like, Numbers, Thread
from thinnet.engine.kernels.copying import copy, copy_row
from thinnet.engine.kernels.gather import data_row, fetch_row, lies_as_ours
from thinnet.engine.kernels.memory import size_of, view
from thinnet.engine.kernels.presence import n_outputs, pick
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Round, Work

ROWS_AHEAD: Final = 4  # of the data, in any order, that are fetched before they are read


@part
def row_at(values: Numbers, column: int, r: int, width: int, n: int, w: Work) -> Numbers:
    """The first `n` numbers of row r of what starts at `column`."""
    start = column * w.capacity + r * width
    return values[start : start + n]


@part
def scratch_of(me: Thread, w: Work, like: Like) -> Numbers:
    size = size_of(like)
    return view(w.scratch + me * w.scratch_size * size, like)


@part
def data_number(now: Round, r: int, w: Work) -> int:
    """Which row of the data is row r of the round."""
    place = now.start + r
    return view(w.order, np.int64(0))[place] if w.order else place


@part
def gather(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """Rows of the data as they come."""
    if not op.thin_out and lies_as_ours(w, like):
        gather_alike(op, low, high, now, w, like)
        return
    n, activations = n_outputs(op, w), view(w.activations, like)
    for r in range(low, high):
        if r + 1 < high:
            fetch_row(data_number(now, r + 1, w), op.n_out, w)
        out = row_at(activations, op.y, r, op.stride_out, n, w)
        if op.thin_out:
            whole = scratch_of(me, w, like)[: op.n_out]
            data_row(data_number(now, r, w), w, whole)
            pick(whole, op.side_out, w, out)
        else:
            data_row(data_number(now, r, w), w, out)


@part
def gather_alike(op: Operation, low: int, high: int, now: Round, w: Work, like: Like) -> None:
    """The same for rows of the network's own type, number beside number."""
    source, activations = view(w.source, np.int64(0)), view(w.activations, like)
    for r in range(low, high):
        if r + ROWS_AHEAD < high:
            fetch_row(data_number(now, r + ROWS_AHEAD, w), op.n_out, w)
        row = source[0] + data_number(now, r, w) * source[1]
        copy_row(np.uint64(row), row_at(activations, op.y, r, op.stride_out, op.n_out, w))


@part
def output(op: Operation, low: int, high: int, now: Round, w: Work, like: Like) -> None:
    """Copy what was asked for."""
    activations, outputs = view(w.activations, like), view(w.outputs, like)
    for r in range(low, high):
        z = row_at(activations, op.y, r, op.stride_out, op.n_out, w)
        copy(z, outputs[(now.out + r) * op.n_out :][: op.n_out])
