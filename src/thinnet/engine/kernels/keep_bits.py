"""Which units are kept: the compiled twin of `thinnet.masks.mask`.

A counter of Philox serves eight neighbouring units, so its keep bits fill one byte, bit d for unit
``8 * block + d``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Bytes,
    Context,
    Intrinsic,
    Kind,
    Signature,
    Value,
    Word,
    Words,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import in_all_lanes
from thinnet.engine.kernels.philox import INDEX, LANES, WORD, Stream, counters, halves_of, rounds
from thinnet.engine.linking import part

UNITS: Final = 8 * LANES  # that have a bit in a word
WORDS: Final = 4  # that are drawn at once where a row has so many
_BYTE = ir.IntType(8)
_WORDS: Final = ir.VectorType(WORD, LANES)
_DRAWS: Final = ir.VectorType(ir.IntType(16), 4 * LANES)


def _side_by_side(builder: Builder, low: Value, high: Value) -> Value:
    """Words of two lower halves: below those of `low`, above those of `high`."""
    n = 2 * low.type.count
    order = ir.Constant(ir.VectorType(INDEX, n), [i // 2 * 2 + i % 2 * n for i in range(n)])
    pairs = builder.shuffle_vector(halves_of(builder, low), halves_of(builder, high), order)
    return builder.bitcast(pairs, low.type)


def _compared(builder: Builder, words: Arguments, limit: Value) -> list[Value]:
    """A bit for each of the draws of some counters, set where it is not below `limit`.

    They come in words of 64, for eight counters each, whose four words are put side by side, so
    that one comparison has the draws in the order of their units.
    """
    c0, c1, c2, c3 = words
    front, back = _side_by_side(builder, c0, c1), _side_by_side(builder, c2, c3)
    # The limit less one in all four quarters of a word; draws are compared 32 at a time.
    most = builder.sub(limit, ir.Constant(WORD, 1))
    most = builder.mul(most, ir.Constant(WORD, 0x0001_0001_0001_0001))
    most = builder.bitcast(in_all_lanes(builder, most, _WORDS), _DRAWS)
    nothing_drops = builder.icmp_unsigned("==", limit, ir.Constant(WORD, 0))
    every = ir.Constant(WORD, 2**64 - 1)
    found = []
    for first in range(0, front.type.count, LANES):
        low, high = (
            _above(builder, front, back, start, most) for start in (first, first + LANES // 2)
        )
        bits = builder.or_(low, builder.shl(high, ir.Constant(WORD, 32)))
        found.append(builder.select(nothing_drops, every, bits))
    return found


def _above(builder: Builder, front: Value, back: Value, start: int, most: Value) -> Value:
    """Which of the 32 draws of four counters, from lane `start` on, are above `most`."""
    places = [lane + side for lane in range(start, start + 4) for side in (0, front.type.count)]
    order = ir.Constant(ir.VectorType(INDEX, LANES), places)
    draws = builder.bitcast(builder.shuffle_vector(front, back, order), _DRAWS)
    above = builder.icmp_unsigned(">", draws, most)
    return builder.zext(builder.bitcast(above, ir.IntType(32)), WORD)


@intrinsic
def bits_along(typing: Kind, block: Kind, sample: Kind, stream: Kind, limit: Kind) -> Intrinsic:
    """The keep bits of 64 neighbouring units of a sample, from ``8 * block`` on.

    `limit` is a threshold from 0 to 65536.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        block, sample, whose, limit = arguments
        k0, k1, number, step = cgutils.unpack_tuple(builder, whose)
        drawn = counters(builder, LANES, block, (sample, step, number))
        (word,) = _compared(builder, rounds(builder, drawn, (k0, k1)), limit)
        return word

    return types.uint64(types.uint64, types.uint64, stream, types.uint64), code


@intrinsic
def four_words(typing: Kind, block: Kind, sample: Kind, stream: Kind, limit: Kind) -> Intrinsic:
    """`bits_along` of 256 neighbouring units, in four words, in three quarters of the time.

    A round waits for the one before it, so the rounds of so many counters take turns.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        block, sample, whose, limit = arguments
        k0, k1, number, step = cgutils.unpack_tuple(builder, whose)
        drawn = counters(builder, WORDS * LANES, block, (sample, step, number))
        found = _compared(builder, rounds(builder, drawn, (k0, k1)), limit)
        return cgutils.pack_array(builder, found)

    word = types.uint64
    return types.UniTuple(word, WORDS)(word, word, stream, word), code


@intrinsic
def bits_across(typing: Kind, block: Kind, samples: Kind, stream: Kind, limit: Kind) -> Intrinsic:
    """The keep bits of the units ``8 * block`` to ``8 * block + 7`` of eight samples.

    `samples` is the address of eight uint64.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        block, samples, whose, limit = arguments
        k0, k1, number, step = cgutils.unpack_tuple(builder, whose)
        each = builder.load(builder.inttoptr(samples, _WORDS.as_pointer()), align=8)
        before, *after = (in_all_lanes(builder, word, _WORDS) for word in (block, step, number))
        (word,) = _compared(builder, rounds(builder, (before, each, *after), (k0, k1)), limit)
        return word

    return types.uint64(types.uint64, types.uint64, stream, types.uint64), code


@intrinsic
def _put_bytes(typing: Kind, address: Kind, apart: Kind, word: Kind) -> Intrinsic:
    """Write the eight bytes of a word, so many bytes apart; a loop would be made into vectors."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        address, apart, word = arguments
        for i in range(8):
            byte = builder.lshr(word, ir.Constant(WORD, 8 * i))
            place = builder.add(address, builder.mul(apart, ir.Constant(WORD, i)))
            pointer = builder.inttoptr(place, _BYTE.as_pointer())
            builder.store(builder.trunc(byte, _BYTE), pointer)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64), code


@intrinsic
def _put_word(typing: Kind, address: Kind, word: Kind) -> Intrinsic:
    """Write a word at any address."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        address, word = arguments
        builder.store(word, builder.inttoptr(address, WORD.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), code


@intrinsic
def word_at(typing: Kind, address: Kind) -> Intrinsic:
    """The 64 keep bits from any address on."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        pointer = builder.inttoptr(arguments[0], WORD.as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(types.uint64), code


@part
def keep_bits(out: Bytes, stream: Stream, sample: Word, limit: Word, start: int = 0) -> None:
    """Write the keep bits of one row, a byte for each block from `start` on.

    Whole words are written: up to seven bytes behind `out` are no longer what they were.
    """
    place, apart = np.uint64(out.ctypes.data), WORDS * LANES
    together = out.size // apart * apart
    for i in range(0, together, apart):
        found = four_words(np.uint64(start + i), sample, stream, limit)
        for k in range(WORDS):
            _put_word(place + np.uint64(i + LANES * k), found[k])
    for i in range(together, out.size, LANES):
        bits = bits_along(np.uint64(start + i), sample, stream, limit)
        _put_word(place + np.uint64(i), bits)


@part
def keep_bits_of_rows(
    out: Bytes, blocks: int, stream: Stream, samples: Words, n: int, limit: Word
) -> None:
    """Write those of the first n rows, `blocks` bytes a row, one lane for each row.

    Eight rows are computed at a time: `samples` and `out` have room for a multiple of eight.
    """
    place, start = np.uint64(out.ctypes.data), np.uint64(samples.ctypes.data)
    for r in range(0, n, LANES):
        for block in range(blocks):
            eight = start + np.uint64(8 * r)
            bits = bits_across(np.uint64(block), eight, stream, limit)
            _put_bytes(place + np.uint64(r * blocks + block), np.uint64(blocks), bits)
