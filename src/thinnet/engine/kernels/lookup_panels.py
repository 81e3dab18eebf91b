"""Weights of lookups as panels of terms: each, and the sum of those of the bins below it.

A row has one term of each column of bins or of categories that begins with what the means of its
inputs take off.
"""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Address, Like, Numbers
from thinnet.engine.kernels.chains import lay_sums, take_means_off
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.lookups import Slot, slot_at
from thinnet.engine.kernels.memory import address_of, cast, size_of, view
from thinnet.engine.kernels.panels import Place, put_transposed, vector_of
from thinnet.engine.kernels.sparse_gradients import add_multiple
from thinnet.engine.kernels.tiles import VECTOR_BYTES
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CATEGORY, POSITION
from thinnet.engine.records import Operation, Work


@part
def lay_terms(op: Operation, rows: Numbers, place: Place, w: Work, across: Numbers) -> None:
    """A vector of columns of a panel, from the weights of as many units.

    Rows lie `stride_in` numbers apart; `across` has room for them, an input in a row.
    """
    like, lanes = rows.dtype.type(0), vector_of(rows.itemsize)
    put_transposed(address_of(rows), op.stride_in, op.n_in, Place(address_of(across), lanes), like)
    for i in range(op.lookups):
        slot, first = slot_at(i, w), slot_at(i, w).first * lanes
        weights = address_of(across[first:])
        if slot.kind == POSITION:
            lay_bins(slot, weights, place, w, like)
        elif slot.kind == CATEGORY:
            lay_codes(slot, weights, place, w, like)
        else:
            put_vector(weights, row_of(place, slot.term, like), like)


@part
def row_of(place: Place, term: int, like: Like) -> Address:
    return place.start + term * place.width * size_of(like)


@part
def put_vector(source: Address, target: Address, like: Like) -> None:
    copy_row(np.uint64(source), view(target, like)[: vector_of(size_of(like))])


@part
def lay_bins(slot: Slot, weights: Address, place: Place, w: Work, like: Like) -> None:
    """Chains of additions from the lowest bin, and the weights, bin by bin."""
    below, apart = row_of(place, slot.term, like), place.width * size_of(like)
    less_means(slot, weights, below, w, like)
    lay_sums(weights, below, apart, VECTOR_BYTES, slot.inputs, like)


@part
def lay_codes(slot: Slot, weights: Address, place: Place, w: Work, like: Like) -> None:
    """That of no category, then those of each."""
    none = row_of(place, slot.term, like)
    less_means(slot, weights, none, w, like)
    for k in range(slot.inputs):
        own = row_of(place, slot.term + 1 + k, like)
        put_vector(none, own, like)
        add_multiple(cast(1, like), weights + k * VECTOR_BYTES, own, 1)


@part
def less_means(slot: Slot, weights: Address, target: Address, w: Work, like: Like) -> None:
    means = w.means + slot.first * size_of(like)
    take_means_off(means, weights, target, VECTOR_BYTES, slot.inputs, like)
