"""The gradient of the weights of lookups, from the terms of a round's rows.

Each term has its sum over rows, as with sparse rows.  The weights of a bin have its own, and those
of the sums of weights that they are in: of all bins above; and those of bins and categories, less
their mean, those of all rows.
"""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Numbers
from thinnet.engine.kernels.chains import add_from_the_last, fold_sums, subtract_multiples
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.entries import row_limits
from thinnet.engine.kernels.lookups import slot_at
from thinnet.engine.kernels.memory import address_of, view
from thinnet.engine.kernels.panels import padded
from thinnet.engine.kernels.sparse_gradients import (
    Span,
    divided,
    inputs_together,
    sum_of_rows,
    turn,
)
from thinnet.engine.kernels.tiles import VECTOR_BYTES
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CATEGORY, PLAIN, POSITION
from thinnet.engine.records import Operation, Round, Work


@part
def lookup_gradient(
    op: Operation, low: int, high: int, now: Round, w: Work, out: Numbers, stack: Numbers
) -> None:
    """``dW`` of the places `low` to `high`, a row of `out` each."""
    if high == low:
        return
    width = padded(high - low, out.itemsize)
    cursors, rest = divided(stack, now.rows)
    for r in range(now.rows):
        cursors[r], _ = row_limits(now, r, w)
    room = padded(op.n_in, out.itemsize) * width
    sums, above, nodes = rest[:room], rest[room : room + width], rest[room + width :]
    i = 0
    while i < op.lookups:
        behind = slots_together(op, i, inputs_together(width), w)
        last = slot_at(behind, w).term if behind < op.lookups else op.n_terms
        span = Span(slot_at(i, w).term, last, low, width)
        sum_of_rows(op, span, now, w, cursors, nodes)
        for k in range(i, behind):
            fold(k, span, nodes, w, above, sums)
        i = behind
    turn(Span(0, op.n_in, low, width), high - low, op.stride_in, sums, out)


@part
def slots_together(op: Operation, first: int, most: int, w: Work) -> int:
    """The slot behind those from `first` on that have `most` terms together, or the one behind."""
    start, i = slot_at(first, w).term, first + 1
    while i < op.lookups:
        end = slot_at(i + 1, w).term if i + 1 < op.lookups else op.n_terms
        if end - start > most:
            break
        i += 1
    return i


@part
def fold(i: int, span: Span, nodes: Numbers, w: Work, above: Numbers, sums: Numbers) -> None:
    """The gradient of the inputs of a slot, a row of `sums` each, from those of its terms."""
    slot, size, like = slot_at(i, w), nodes.itemsize, nodes.dtype.type(0)
    apart, all_above = span.width * size, address_of(above)
    terms = address_of(nodes) + (slot.term - span.first) * apart
    own = address_of(sums) + slot.first * apart
    if slot.kind != POSITION:
        behind = terms + apart if slot.kind == CATEGORY else terms
        copy_row(np.uint64(behind), view(own, like)[: slot.inputs * span.width])
    if slot.kind == PLAIN:
        return
    means = w.means + slot.first * size
    for ahead in range(0, apart, VECTOR_BYTES):
        if slot.kind == POSITION:
            fold_sums(terms + ahead, own + ahead, all_above, apart, slot.inputs, like)
        else:
            add_from_the_last(terms + ahead, all_above, apart, slot.inputs + 1, like)
        subtract_multiples(means, all_above, own + ahead, apart, slot.inputs, like)
