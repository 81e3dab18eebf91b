"""Inverted dropout of rows, alone or with the bias and the ReLU before it.

It is linear where it is alone, so it is its own backward.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Ids, Lanes, Number, Numbers, Pointer, Word, Words
from thinnet.engine.compile import inlined, kernel
from thinnet.engine.kernels.keep_bits import UNITS, bits_along, keep_bits, word_at
from thinnet.engine.kernels.lanes import (
    EVERY,
    LANES,
    add_and_drop_lanes,
    add_rectify_and_drop_lanes,
    drop_lanes,
    tail,
)
from thinnet.engine.kernels.philox import Stream
from thinnet.engine.linking import part

# What is done with a row before dropping.
NO_BIAS, ADD, ADD_AND_RECTIFY = 0, 1, 2
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
def dropout_rows(
    x: Numbers, samples: Ids, bits: Bytes, out: Numbers, numbers: Words, scale: Number
) -> None:
    """Dropout of the rows of `x` with ids `samples`; `bits` has room for one row, and a word.

    `numbers` are those of the stream, and the threshold.
    """
    size, n = x.itemsize, x.shape[1]
    source, target = np.uint64(x.ctypes.data), np.uint64(out.ctypes.data)
    kept = np.uint64(bits.ctypes.data)
    stream = Stream(numbers[0], numbers[1], numbers[2], numbers[3])
    for row in range(x.shape[0]):
        sample, start = np.uint64(samples[row]), np.uint64(row * n * size)
        keep_bits(bits[:-8], stream, sample, numbers[4])
        _apply_bits(source + start, kept, n, scale, target + start, size)


@part
def _apply_bits(x: Pointer, bits: Pointer, n: int, scale: Number, out: Pointer, size: int) -> None:
    """For one row; without the choices of `apply_word` it takes a seventh less time."""
    whole = n // LANES
    for i in range(whole):
        ahead, kept = np.uint64(i * LANES * size), np.uint16(word_at(bits + np.uint64(2 * i)))
        drop_lanes(x + ahead, NO_ADDRESS, kept, EVERY, scale, out + ahead)
    if n % LANES:
        ahead = np.uint64(whole * LANES * size)
        kept = np.uint16(word_at(bits + np.uint64(2 * whole)))
        drop_lanes(x + ahead, NO_ADDRESS, kept, tail(n), scale, out + ahead)
