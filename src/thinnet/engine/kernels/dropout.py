"""Inverted dropout of rows, alone or with the bias and the ReLU before it.

It is linear where it is alone, so it is its own backward.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Ids, Lanes, Number, Numbers, Pointer, Word, Words
from thinnet.engine.compile import inlined, kernel
from thinnet.engine.kernels.keep_bits import UNITS, WORDS, bits_along, four_words, word_at
from thinnet.engine.kernels.lanes import (
    EVERY,
    LANES,
    LINE_BYTES,
    add_and_drop_lanes,
    add_rectify_and_drop_lanes,
    drop_lanes,
    fetch_line,
    tail,
)
from thinnet.engine.kernels.philox import Stream
from thinnet.engine.linking import part

# What is done with a row before dropping.
NO_BIAS, ADD, ADD_AND_RECTIFY = 0, 1, 2
# Bytes ahead at which arrays that lie in memory are fetched: a third less time.  The processor
# itself fetches no further than the page that it reads.
FETCHED: Final = 4096
NO_ADDRESS: Final = np.uint64(0)  # the address of a bias that isn't added


class Before(NamedTuple):
    """What is done with rows before dropping, and the address of the bias that is added."""

    what: int
    bias: Pointer


class Mask(NamedTuple):
    """The threshold below which a draw drops, and what the others are multiplied by."""

    limit: Word
    scale: Number


@part
def apply_bits_to_rows(
    before: Before,
    rows: Numbers,
    n_rows: int,
    width: int,
    n: int,
    bits: Bytes,
    between: int,
    scale: Number,
) -> None:
    """Drop where a bit is not set, in place; rows of n of `width` numbers, `between` bytes apart.

    A word more of `bits` than the rows need is looked at.
    """
    start, size = np.uint64(rows.ctypes.data), rows.itemsize
    kept = np.uint64(bits.ctypes.data)
    for r in range(n_rows):
        row = start + np.uint64(r * width * size)
        for i in range(0, n, UNITS):
            word = word_at(kept + np.uint64(r * between + (i >> 3)))
            place, ahead = row + np.uint64(i * size), np.uint64(i * size)
            apply_word(before.what, place, before.bias + ahead, word, n - i, scale, size)


@inlined
def drop_row(
    before: Before, row: Pointer, n: int, sample: Word, stream: Stream, mask: Mask, size: int
) -> None:
    """Draw the mask of a row, and drop in place; `row` is an address.

    In cache, bits that go from where they are drawn to where they are used take a sixth less time
    than those of a whole row, written and read.
    """
    for i in range(0, n, UNITS):
        ahead = np.uint64(i * size)
        word = bits_along(np.uint64(i >> 3), sample, stream, mask.limit)
        apply_word(before.what, row + ahead, before.bias + ahead, word, n - i, mask.scale, size)


@part
def apply_word(
    what: int, row: Pointer, bias: Pointer, word: Word, n: int, scale: Number, size: int
) -> None:
    """The first n numbers from `row` on, of at most 64, in place."""
    for i in range(0, min(n, UNITS), LANES):
        ahead, kept = np.uint64(i * size), np.uint16(word >> np.uint64(i))
        if i + LANES <= n:  # a whole vector is read and written without a mask
            _apply_lanes(what, row + ahead, bias + ahead, kept, EVERY, scale)
        else:
            _apply_lanes(what, row + ahead, bias + ahead, kept, tail(n), scale)


@inlined
def _apply_lanes(
    what: int, x: Pointer, bias: Pointer, kept: Lanes, there: Lanes, scale: Number
) -> None:
    if what == NO_BIAS:
        drop_lanes(x, bias, kept, there, scale, x)
    elif what == ADD:
        add_and_drop_lanes(x, bias, kept, there, scale, x)
    else:
        add_rectify_and_drop_lanes(x, bias, kept, there, scale, x)


@kernel
def dropout_rows(x: Numbers, samples: Ids, out: Numbers, numbers: Words, scale: Number) -> None:
    """Dropout of the rows of `x` with ids `samples`; `numbers`: those of the stream, the threshold.

    The bits of 256 units stay in registers while they are used, and the processor draws the next
    meanwhile: a third less time than with a row of bits in memory (measured in cache).
    """
    size, n, together = x.itemsize, x.shape[1], WORDS * UNITS
    source, target = np.uint64(x.ctypes.data), np.uint64(out.ctypes.data)
    stream, limit = Stream(numbers[0], numbers[1], numbers[2], numbers[3]), numbers[4]
    whole = n // together * together
    for row in range(x.shape[0]):
        sample, start = np.uint64(samples[row]), np.uint64(row * n * size)
        given, made = source + start, target + start
        for i in range(0, whole, together):
            words = four_words(np.uint64(i >> 3), sample, stream, limit)
            for k in range(WORDS):
                ahead = np.uint64((i + k * UNITS) * size)
                _drop_word(given + ahead, words[k], scale, made + ahead, size)
        for i in range(whole, n, UNITS):
            word, ahead = bits_along(np.uint64(i >> 3), sample, stream, limit), np.uint64(i * size)
            _drop_some(given + ahead, word, n - i, scale, made + ahead, size)


@inlined
def _drop_word(x: Pointer, word: Word, scale: Number, out: Pointer, size: int) -> None:
    for i in range(0, UNITS * size, LINE_BYTES):
        fetch_line(x + np.uint64(FETCHED + i))
        fetch_line(out + np.uint64(FETCHED + i))
    for i in range(0, UNITS, LANES):
        ahead, kept = np.uint64(i * size), np.uint16(word >> np.uint64(i))
        drop_lanes(x + ahead, NO_ADDRESS, kept, EVERY, scale, out + ahead)


@part
def _drop_some(x: Pointer, word: Word, n: int, scale: Number, out: Pointer, size: int) -> None:
    """The first n numbers, of at most 64."""
    for i in range(0, min(n, UNITS), LANES):
        ahead, kept = np.uint64(i * size), np.uint16(word >> np.uint64(i))
        if i + LANES <= n:  # a whole vector is read and written without a mask
            drop_lanes(x + ahead, NO_ADDRESS, kept, EVERY, scale, out + ahead)
        else:
            drop_lanes(x + ahead, NO_ADDRESS, kept, tail(n), scale, out + ahead)
