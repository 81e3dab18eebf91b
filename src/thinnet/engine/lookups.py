"""A first layer of lookups: what compiled code knows of its columns, and its memory."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.lowered import Bound
from thinnet.layers import Columns
from thinnet.layers.encodings import BIN, CATEGORY, VALUE, ColumnEncoding, slots_of

Encodings = tuple[ColumnEncoding, ...]
KINDS: Final = {BIN: code.POSITION, VALUE: code.PLAIN, CATEGORY: code.CATEGORY}


def looks_up(network: Bound) -> bool:
    """Is the first layer one of lookups?"""
    return len(network.layers) > 0 and type(network.layers[0]) is Columns


def n_terms(columns: Encodings) -> int:
    """A bin's weights and the sum of those below it, and those of any other input."""
    return sum(each.inputs + each.bins for each in columns)


def most_terms(columns: Encodings) -> int:
    """Of a row."""
    return sum(2 if slot.kind == BIN else 1 for slot in slots_of(columns))


def most_of_a_slot(columns: Encodings) -> int:
    return max(2 * slot.inputs if slot.kind == BIN else slot.inputs for slot in slots_of(columns))


def table_of(columns: Encodings) -> Array:
    """A row for each slot, with the fields of `kernels.lookups.Slot`."""
    rows, term = [], 0
    for slot in slots_of(columns):
        rows.append((KINDS[slot.kind], slot.column, term, slot.first, slot.inputs))
        term += 2 * slot.inputs if slot.kind == BIN else slot.inputs
    return np.array(rows, np.int32)
