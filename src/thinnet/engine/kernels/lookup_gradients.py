"""The gradient of the weights of lookups, from the terms of a round's rows.

Each term has its sum over rows, as with sparse rows.  The weights of a bin have its own, and those
of the sums of weights that they are in: of all bins above; and those of bins and categories, less
their mean, those of all rows.
"""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Numbers
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.entries import row_limits
from thinnet.engine.kernels.lookups import slot_at
from thinnet.engine.kernels.memory import address_of, cast, view
from thinnet.engine.kernels.panels import padded, vector_of
from thinnet.engine.kernels.sparse_gradients import (
    Span,
    add_multiple,
    divided,
    inputs_together,
    sum_of_rows,
    turn,
)
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CATEGORY, POSITION
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
    like, width, slot = nodes.dtype.type(0), span.width, slot_at(i, w)
    one, vectors = cast(1, like), width // vector_of(nodes.itemsize)
    terms, own = nodes[(slot.term - span.first) * width :], sums[slot.first * width :]
    above[:] = 0
    if slot.kind == POSITION:
        for k in range(slot.inputs - 1, -1, -1):
            row = own[k * width :][:width]
            copy_row(np.uint64(address_of(above)), row)
            add_multiple(one, address_of(terms[(2 * k + 1) * width :]), address_of(row), vectors)
            add_multiple(one, address_of(terms[2 * k * width :]), address_of(above), vectors)
    elif slot.kind == CATEGORY:
        copy_row(np.uint64(address_of(terms[width:])), own[: slot.inputs * width])
        for k in range(slot.inputs, -1, -1):
            add_multiple(one, address_of(terms[k * width :]), address_of(above), vectors)
    else:
        copy_row(np.uint64(address_of(terms)), own[:width])
        return
    means = view(w.means, like)[slot.first :]
    for k in range(slot.inputs):
        add_multiple(-means[k], address_of(above), address_of(own[k * width :]), vectors)
