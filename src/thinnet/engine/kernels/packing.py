"""Weights from where they are learned to where products read them (`panels`)."""

from __future__ import annotations

from thinnet.engine.aliases import Like, Numbers, Thread
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.lookup_panels import lay_terms
from thinnet.engine.kernels.memory import address_of, size_of, view
from thinnet.engine.kernels.panels import Place, padded, panel_width, put_transposed, vector_of
from thinnet.engine.kernels.presence import (
    in_use,
    is_drawn,
    mask_weights,
    n_inputs,
    n_outputs,
    pick,
    unit_at,
)
from thinnet.engine.kernels.tiles import VECTORS
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work


@part
def pack(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, spare: Numbers
) -> None:
    """What exists of W and b of the places `low` to `high`, masked where DropConnect drops."""
    low, high = in_use(op, low, high, w)
    like, drawn = spare.dtype.type(0), is_drawn(op)
    lanes = vector_of(spare.itemsize)
    for first in range(low, high, lanes):
        last = min(first + lanes, high)
        if not drawn and not op.lookups and last - first == lanes:
            pack_as_it_lies(op, first, w, spare)
            continue
        rows = spare[: lanes * op.stride_in]
        fill(op, first, last, me, now, w, rows)
        columns = forward_place(op, first, w, like)
        if op.lookups:
            lay_terms(op, rows, columns, w, spare[lanes * op.stride_in :])
            continue
        put_transposed(address_of(rows), op.stride_in, n_inputs(op, w), columns, like)
        if op.backward_panels != NO_PLACE:
            to_backward(op, first, last, op.stride_in, w, rows)
    if op.thin_out:
        theta, seen = view(w.theta, like), view(w.seen, like)
        for place in range(low, high):
            seen[op.bias + place] = theta[op.bias + unit_at(op, place, w)]


@part
def repack(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, spare: Numbers
) -> None:
    """What has just been updated, while it is in cache; what is drawn is packed once it is."""
    if now.repacks and not is_drawn(op):
        pack(op, low, high, me, now, w, spare)


@part
def pack_as_it_lies(op: Operation, first: int, w: Work, spare: Numbers) -> None:
    """A vector of units all of whose inputs exist, without a copy in between."""
    like, size = spare.dtype.type(0), spare.itemsize
    lanes, place = vector_of(size), forward_place(op, first, w, like)
    theta = view(w.theta, like)[op.weights + first * op.n_in :]
    even = op.n_in // lanes * lanes
    put_transposed(address_of(theta), op.n_in, even, place, like)
    if even < op.n_in:
        rest = spare[: lanes * lanes]
        rest[:] = 0
        for i in range(lanes):
            row = theta[i * op.n_in + even :]
            copy(row, rest[i * lanes :][: op.n_in - even])
        behind = Place(place.start + even * place.width * size, place.width)
        put_transposed(address_of(rest), lanes, op.n_in - even, behind, like)
    if op.backward_panels != NO_PLACE:
        to_backward(op, first, first + lanes, op.n_in, w, theta)


@part
def fill(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, rows: Numbers
) -> None:
    """The weights of a vector of units, a row each, zero where nothing is."""
    like, n_in = rows.dtype.type(0), n_inputs(op, w)
    theta = view(w.theta, like)
    rows[(last - first) * op.stride_in :] = 0
    for place in range(first, last):
        unit, start = unit_at(op, place, w), (place - first) * op.stride_in
        row, out = theta[op.weights + unit * op.n_in :][: op.n_in], rows[start : start + n_in]
        if op.thin_in:
            pick(row, op.side_in, w, out)
        else:
            copy(row, out)
        if op.dropped:
            mask_weights(op, unit, me, now, w, out)


@part
def forward_place(op: Operation, first: int, w: Work, like: Like) -> Place:
    """Where the columns from unit `first` on begin in the panels whose rows are inputs."""
    size = size_of(like)
    together = VECTORS * vector_of(size)
    start = first // together * together
    at = op.forward_panels + start * padded(op.n_terms, size) + first - start
    return Place(w.panels + at * size, panel_width(start, n_outputs(op, w), size))


@part
def to_backward(op: Operation, first: int, last: int, stride: int, w: Work, rows: Numbers) -> None:
    """Units, whose rows lie `stride` numbers apart, become rows of panels of inputs."""
    size, n_in = rows.itemsize, n_inputs(op, w)
    room, panels = padded(op.n_out, size), view(w.panels, rows.dtype.type(0))
    for start in range(0, n_in, VECTORS * vector_of(size)):
        width = panel_width(start, n_in, size)
        n = min(width, n_in - start)
        for place in range(first, last):
            row = rows[(place - first) * stride + start :]
            at = op.backward_panels + start * room + place * width
            copy(row, panels[at : at + n])
