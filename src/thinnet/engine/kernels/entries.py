"""Entries of sparse rows as they are stored, and what a dropout in front leaves of them.

The columns of a row rise, each once (`thinnet.sparse`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Address, Indices, Like, Number, Numbers, Word, Words
from thinnet.engine.kernels.gather import F8, load
from thinnet.engine.kernels.keep_bits import UNITS, bits_along
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.noise import mask_if_any, mask_of, sample_of, stream_of
from thinnet.engine.kernels.rows import data_number
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Round, Work

NOWHERE: Final = np.uint64(2**64 - 1)  # no word has this number


class Entries(NamedTuple):
    """Where values and columns begin, and whether they are stored in eight bytes, or in four."""

    values: Address
    doubles: bool
    columns: Address
    longs: bool


@part
def entries_of(w: Work) -> Entries:
    source = view(w.source, np.int64(0))
    return Entries(source[0], source[3] == F8, source[4], source[5] == 8)


@part
def column_at(entries: Entries, i: int) -> int:
    if entries.longs:
        return int(load(entries.columns + 8 * i, np.int64(0)))
    return int(load(entries.columns + 4 * i, np.int32(0)))


@part
def value_at(entries: Entries, i: int, like: Like) -> Number:
    if entries.doubles:
        return cast(load(entries.values + 8 * i, np.float64(0)), like)
    return cast(load(entries.values + 4 * i, np.float32(0)), like)


@part
def row_limits(now: Round, r: int, w: Work) -> tuple[int, int]:
    """The first entry of row r of a round, and the one behind its last."""
    if w.most_terms:
        start = r * w.most_terms
        return start, start + view(w.row_terms, np.int64(0))[r]
    row, starts = data_number(now, r, w), view(w.starts, np.int64(0))
    return starts[row], starts[row + 1]


@part
def read_row(
    gather: Operation, r: int, now: Round, w: Work, columns: Indices, values: Numbers
) -> int:
    """Columns and values of row r, without what is dropped; how many these are."""
    first, last = row_limits(now, r, w)
    like = values.dtype.type(0)
    entries = entries_of(w)
    for i in range(first, last):
        columns[i - first] = column_at(entries, i)
        values[i - first] = value_at(entries, i, like)
    mask = mask_if_any(gather, now, w, like)
    if mask.limit != 0:
        return drop(gather, r, last - first, now, w, columns, values)
    if mask.scale != 1:
        for i in range(last - first):
            values[i] *= mask.scale
    return last - first


@part
def drop(
    gather: Operation, r: int, n: int, now: Round, w: Work, columns: Indices, values: Numbers
) -> int:
    """Leave out what the mask of row r drops, and scale the rest; the mask is kept for later."""
    mask, words = mask_of(gather, now, w, values.dtype.type(0)), kept(r, gather, w)
    sample, stream = sample_of(gather, now, r, w), stream_of(gather, now, w)
    number, word, m = NOWHERE, np.uint64(0), 0
    for e in range(n):
        column = columns[e]
        if word_of(column) != number:
            number = word_of(column)
            word = bits_along(np.uint64(8) * number, sample, stream, mask.limit)
            if w.kept:
                words[number] = word
        columns[m], values[m] = column, values[e] * mask.scale
        m += bit_of(word, column)
    return m


@part
def word_of(column: int) -> Word:
    """Which word has the keep bit of a column."""
    return np.uint64(column) >> np.uint64(6)


@part
def bit_of(word: Word, column: int) -> int:
    return int((word >> (np.uint64(column) & np.uint64(UNITS - 1))) & np.uint64(1))


@part
def kept(r: int, gather: Operation, w: Work) -> Words:
    """The keep bits of row r, 64 units a word; only those of units with entries are there."""
    n_words = (gather.n_in + UNITS - 1) // UNITS
    return view(w.kept + 8 * r * n_words, np.uint64(0))
