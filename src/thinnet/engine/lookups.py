"""A first layer of lookups: what compiled code knows of its columns, and its memory."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.lowered import Bound
from thinnet.layers import Columns
from thinnet.layers.encodings import (
    BIN,
    CATEGORY,
    VALUE,
    ColumnEncoding,
    Slot,
    offsets_of,
    slots_of,
)

Encodings = tuple[ColumnEncoding, ...]
KINDS: Final = {BIN: code.POSITION, VALUE: code.PLAIN, CATEGORY: code.CATEGORY}


def looks_up(network: Bound) -> bool:
    """Is the first layer one of lookups?"""
    return len(network.layers) > 0 and type(network.layers[0]) is Columns


def n_terms(columns: Encodings) -> int:
    return sum(map(_terms_of, slots_of(columns)))


def most_terms(columns: Encodings) -> int:
    """Of a row."""
    return sum(2 if slot.kind == BIN else 1 for slot in slots_of(columns))


def most_of_a_slot(columns: Encodings) -> int:
    return max(map(_terms_of, slots_of(columns)))


def _terms_of(slot: Slot) -> int:
    """A bin's weights and the sum of those below it; those of each category, and of none."""
    return {BIN: 2 * slot.inputs, CATEGORY: slot.inputs + 1, VALUE: 1}[slot.kind]


def means_of(columns: Encodings, dtype: np.dtype) -> Array:
    """What is taken off each input."""
    return offsets_of(columns).astype(dtype)


def table_of(columns: Encodings) -> Array:
    """A row for each slot, with the fields of `kernels.lookups.Slot`."""
    rows, term = [], 0
    for slot in slots_of(columns):
        rows.append((KINDS[slot.kind], slot.column, term, slot.first, slot.inputs))
        term += _terms_of(slot)
    return np.array(rows, np.int32)
