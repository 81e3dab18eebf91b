"""Rows of a table as the terms of a product, and that product (`thinnet.layers.Columns`).

A number at bin k of a column with fraction f has two terms: the sum of the weights of the bins
below k, and f times those of bin k.  A code has one, also that of no category.  Panels hold them
one behind the other, less the means of the inputs times their weights (`lookup_panels`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Indices, Like, Number, Numbers, Thread
from thinnet.engine.kernels.dropout import Mask
from thinnet.engine.kernels.gather import data_row, fetch_row
from thinnet.engine.kernels.memory import cast, size_of, view
from thinnet.engine.kernels.noise import (
    SHARED_ID,
    bits_of,
    draw_mask,
    is_kept,
    mask_if_any,
    sample_of,
)
from thinnet.engine.kernels.panels import padded, vector_of
from thinnet.engine.kernels.presence import n_outputs
from thinnet.engine.kernels.rows import ROWS_AHEAD, data_number, scratch_of
from thinnet.engine.kernels.sparse_products import TOGETHER, Row, sums_of_vectors
from thinnet.engine.kernels.tiles import VECTOR_BYTES, VECTORS
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CATEGORY, POSITION
from thinnet.engine.records import Operation, Round, Work

FIELDS: Final = 5  # of a slot in its table


class Slot(NamedTuple):
    """A number of a row: where its terms and its inputs begin, and how many inputs it has."""

    kind: int
    column: int
    term: int
    first: int
    inputs: int


@part
def slot_at(i: int, w: Work) -> Slot:
    it = view(w.slots, np.int32(0))[i * FIELDS : (i + 1) * FIELDS]
    return Slot(int(it[0]), int(it[1]), int(it[2]), int(it[3]), int(it[4]))


@part
def gather(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """The terms of rows of the data, without those of columns that are dropped."""
    x, bits = scratch_of(me, w, like)[: op.n_in], bits_of(me, w)
    mask = mask_if_any(op, now, w, like)
    if mask.limit != 0 and op.shared:
        draw_mask(op, SHARED_ID, mask.limit, now, w, bits)
    for r in range(low, high):
        if r + ROWS_AHEAD < high:
            fetch_row(data_number(now, r + ROWS_AHEAD, w), op.n_in, w)
        data_row(data_number(now, r, w), w, x)
        if mask.limit != 0 and not op.shared:
            draw_mask(op, sample_of(op, now, r, w), mask.limit, now, w, bits)
        start = r * w.most_terms
        terms, factors = view(w.terms, np.int32(0))[start:], view(w.factors, like)[start:]
        view(w.row_terms, np.int64(0))[r] = terms_of(op, x, mask, bits, w, terms, factors)


@part
def within(value: Number, most: int) -> Number:
    """The number from 0 to `most` that is nearest; 0 for NaN, which no comparison is true of."""
    return min(max(cast(0, value), value), cast(most, value))


@part
def terms_of(
    op: Operation,
    x: Numbers,
    mask: Mask,
    bits: Bytes,
    w: Work,
    terms: Indices,
    factors: Numbers,
) -> int:
    """Write the terms of a row, ascending; how many these are.

    Whatever stands in the row, no term is behind the last: numbers are brought into their range.
    """
    n, drops, scale = 0, mask.limit != 0, mask.scale
    for i in range(op.lookups):
        slot, value = slot_at(i, w), x[i]
        if drops and not is_kept(bits, slot.column):
            continue
        if slot.kind == POSITION:
            position = within(value, slot.inputs)
            own = min(int(position), slot.inputs - 1)
            terms[n], factors[n] = slot.term + 2 * own, scale
            terms[n + 1] = slot.term + 2 * own + 1
            factors[n + 1] = scale * (position - cast(own, position))
            n += 2
        elif slot.kind == CATEGORY:
            terms[n], factors[n] = slot.term + int(within(value, slot.inputs)), scale
            n += 1
        elif value != 0:  # an earlier sum stays as it is, as with most parts of a text
            terms[n], factors[n] = slot.term, scale * value
            n += 1
    return n


@part
def dense(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """The sums of rows over their terms, without the bias.

    A panel, which stays in cache, is gone through with all rows before the next.
    """
    size, n_units = size_of(like), n_outputs(op, w)
    lanes, room = vector_of(size), padded(op.n_terms, size)
    n_vectors = (n_units + lanes - 1) // lanes
    for first in range(0, n_vectors, TOGETHER):
        n = min(TOGETHER, n_vectors - first)
        panel = w.panels + op.forward_panels * size + first * room * VECTOR_BYTES
        step, apart = min(n, VECTORS) * VECTOR_BYTES, room * VECTORS * VECTOR_BYTES
        for r in range(low, high):
            start = r * w.most_terms
            there = view(w.row_terms, np.int64(0))[r]
            row = Row(w.terms + 4 * start, w.factors + size * start, there)
            y = w.activations + (op.y * w.capacity + r * op.stride_out) * size
            sums_of_vectors(n, row, panel, step, apart, y + first * VECTOR_BYTES, like)
