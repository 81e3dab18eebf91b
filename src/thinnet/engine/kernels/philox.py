"""Keep bits by Philox4x32-10: the compiled twin of `thinnet.masks.mask`.

A counter serves eight neighbouring units, so its keep bits fill one byte, bit d for unit
``8 * block + d``.  Eight counters are computed at once, in the lanes of vectors.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet import philox
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
from thinnet.engine.compile import inlined, intrinsic
from thinnet.engine.instructions import in_all_lanes
from thinnet.engine.linking import part

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
LANES: Final = 8
UNITS: Final = 8 * LANES  # that have a bit in a word
_WORD, _INDEX, _BYTE = ir.IntType(64), ir.IntType(32), ir.IntType(8)
_WORDS: Final = ir.VectorType(_WORD, LANES)


class Stream(NamedTuple):
    """Whose numbers are drawn, in words: the compiled twin of `thinnet.philox.Stream`."""

    k0: Word  # the seed
    k1: Word
    number: Word
    step: Word


def stream_of(stream: philox.Stream) -> Stream:
    low, high = stream.seed & 0xFFFFFFFF, stream.seed >> 32
    return Stream(*map(np.uint64, (low, high, stream.number, stream.step)))


@inlined
def words(
    c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word
) -> tuple[Word, Word, Word, Word]:
    """The four words of Philox4x32-10.

    Every number is a uint64 that holds 32 bits: the lanes of the 32 x 32 bit products are 64 bits
    wide, and stay so.
    """
    for _ in range(10):
        p, q = M0 * c0, M1 * c2
        c0, c2 = (q >> HALF) ^ c1 ^ k0, (p >> HALF) ^ c3 ^ k1
        c1, c3 = q & LOW, p & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@inlined
def stream_words(block: Word, sample: Word, stream: Stream) -> tuple[Word, Word, Word, Word]:
    """The four words of a counter of a stream."""
    return words(block, sample, stream.step, stream.number, stream.k0, stream.k1)


def _rounds(builder: Builder, counter: Arguments, keys: Arguments) -> Arguments:
    """`words` of eight counters, in the lanes of four vectors; upper halves are garbage."""
    c0, c1, c2, c3 = counter
    k0, k1 = (_everywhere(builder, key) for key in keys)
    for _ in range(10):
        p, q = _times(builder, c0, M0), _times(builder, c2, M1)
        c0 = _xor(builder, builder.lshr(q, _each(HALF)), c1, k0)
        c2 = _xor(builder, builder.lshr(p, _each(HALF)), c3, k1)
        c1, c3 = q, p
        k0, k1 = builder.add(k0, _each(W0)), builder.add(k1, _each(W1))
    return c0, c1, c2, c3


def _times(builder: Builder, words: Value, by: Word) -> Value:
    return builder.mul(builder.and_(words, _each(LOW)), _each(by))


def _xor(builder: Builder, a: Value, b: Value, c: Value) -> Value:
    return builder.xor(builder.xor(a, b), c)


def _each(number: int | Word) -> Value:
    return ir.Constant(_WORDS, [int(number)] * LANES)


def _everywhere(builder: Builder, word: Value) -> Value:
    return in_all_lanes(builder, word, _WORDS)


def _compared(builder: Builder, words: Arguments, limit: Value) -> Value:
    """A bit for each of the 64 draws of eight counters, set where it is not below `limit`.

    The four words of a counter are put side by side, so that one comparison has the draws in the
    order of their units.
    """
    c0, c1, c2, c3 = words
    front, back = (
        builder.or_(builder.and_(low, _each(LOW)), builder.shl(high, _each(HALF)))
        for low, high in ((c0, c1), (c2, c3))
    )
    most = _everywhere(builder, builder.sub(limit, ir.Constant(_WORD, 1)))
    draws = ir.VectorType(ir.IntType(16), 4 * LANES)
    # The limit less one in all four quarters of a word; draws are compared 32 at a time.
    most = builder.bitcast(builder.mul(most, _each(0x0001_0001_0001_0001)), draws)
    bits = []
    for places in ([0, 8, 1, 9, 2, 10, 3, 11], [4, 12, 5, 13, 6, 14, 7, 15]):
        order = ir.Constant(ir.VectorType(_INDEX, LANES), places)
        words = builder.bitcast(builder.shuffle_vector(front, back, order), draws)
        above = builder.icmp_unsigned(">", words, most)
        bits.append(builder.zext(builder.bitcast(above, ir.IntType(32)), _WORD))
    found = builder.or_(bits[0], builder.shl(bits[1], ir.Constant(_WORD, 32)))
    nothing_drops = builder.icmp_unsigned("==", limit, ir.Constant(_WORD, 0))
    return builder.select(nothing_drops, ir.Constant(_WORD, 2**64 - 1), found)


@intrinsic
def bits_along(typing: Kind, block: Kind, sample: Kind, stream: Kind, limit: Kind) -> Intrinsic:
    """The keep bits of 64 neighbouring units of a sample, from ``8 * block`` on.

    `limit` is a threshold from 0 to 65536.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        block, sample, whose, limit = arguments
        k0, k1, number, step = cgutils.unpack_tuple(builder, whose)
        ahead = ir.Constant(_WORDS, list(range(LANES)))
        blocks = builder.add(_everywhere(builder, block), ahead)
        others = [_everywhere(builder, word) for word in (sample, step, number)]
        words = _rounds(builder, (blocks, *others), (k0, k1))
        return _compared(builder, words, limit)

    return types.uint64(types.uint64, types.uint64, stream, types.uint64), code


@intrinsic
def bits_across(typing: Kind, block: Kind, samples: Kind, stream: Kind, limit: Kind) -> Intrinsic:
    """The keep bits of the units ``8 * block`` to ``8 * block + 7`` of eight samples.

    `samples` is the address of eight uint64.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        block, samples, whose, limit = arguments
        k0, k1, number, step = cgutils.unpack_tuple(builder, whose)
        each = builder.load(builder.inttoptr(samples, _WORDS.as_pointer()), align=8)
        before, *after = (_everywhere(builder, word) for word in (block, step, number))
        words = _rounds(builder, (before, each, *after), (k0, k1))
        return _compared(builder, words, limit)

    return types.uint64(types.uint64, types.uint64, stream, types.uint64), code


@intrinsic
def _put_bytes(typing: Kind, address: Kind, apart: Kind, word: Kind) -> Intrinsic:
    """Write the eight bytes of a word, so many bytes apart; a loop would be made into vectors."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        address, apart, word = arguments
        for i in range(8):
            byte = builder.lshr(word, ir.Constant(_WORD, 8 * i))
            place = builder.add(address, builder.mul(apart, ir.Constant(_WORD, i)))
            pointer = builder.inttoptr(place, _BYTE.as_pointer())
            builder.store(builder.trunc(byte, _BYTE), pointer)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64), code


@intrinsic
def _put_word(typing: Kind, address: Kind, word: Kind) -> Intrinsic:
    """Write a word at any address."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        address, word = arguments
        builder.store(word, builder.inttoptr(address, _WORD.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64), code


@intrinsic
def word_at(typing: Kind, address: Kind) -> Intrinsic:
    """The 64 keep bits from any address on."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        pointer = builder.inttoptr(arguments[0], _WORD.as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(types.uint64), code


@part
def keep_bits(out: Bytes, stream: Stream, sample: Word, limit: Word, start: int = 0) -> None:
    """Write the keep bits of one row, a byte for each block from `start` on.

    Whole words are written: up to seven bytes behind `out` are no longer what they were.
    """
    place = np.uint64(out.ctypes.data)
    for i in range(0, out.size, LANES):
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
