"""Weights of lookups as panels of terms: each, and the sum of those of the bins below it."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Address, Like, Numbers
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.lookups import Slot, slot_at
from thinnet.engine.kernels.memory import address_of, cast, size_of, view
from thinnet.engine.kernels.panels import Place, put_transposed, vector_of
from thinnet.engine.kernels.sparse_gradients import add_multiple
from thinnet.engine.linking import part
from thinnet.engine.opcodes import POSITION
from thinnet.engine.records import Operation, Work


@part
def lay_terms(op: Operation, rows: Numbers, place: Place, w: Work, across: Numbers) -> None:
    """A vector of columns of a panel, from the weights of as many units.

    Rows lie `stride_in` numbers apart; `across` has room for them, an input in a row.
    """
    like, lanes = rows.dtype.type(0), vector_of(rows.itemsize)
    put_transposed(address_of(rows), op.stride_in, op.n_in, Place(address_of(across), lanes), like)
    for i in range(op.lookups):
        slot = slot_at(i, w)
        if slot.kind == POSITION:
            lay_bins(slot, address_of(across), place, like)
        else:
            for k in range(slot.inputs):
                weights = address_of(across[(slot.first + k) * lanes :])
                put_vector(weights, row_of(place, slot.term + k, like), like)


@part
def row_of(place: Place, term: int, like: Like) -> Address:
    return place.start + term * place.width * size_of(like)


@part
def put_vector(source: Address, target: Address, like: Like) -> None:
    copy_row(np.uint64(source), view(target, like)[: vector_of(size_of(like))])


@part
def lay_bins(slot: Slot, across: Address, place: Place, like: Like) -> None:
    """Chains of additions from the lowest bin, and the weights, bin by bin."""
    size, one = size_of(like), cast(1, like)
    apart = vector_of(size) * size
    below = row_of(place, slot.term, like)
    view(below, like)[: vector_of(size)] = 0
    for k in range(slot.inputs):
        weights = across + (slot.first + k) * apart
        put_vector(weights, row_of(place, slot.term + 2 * k + 1, like), like)
        if k + 1 < slot.inputs:
            behind = row_of(place, slot.term + 2 * k + 2, like)
            put_vector(below, behind, like)
            add_multiple(one, weights, behind, 1)
            below = behind
