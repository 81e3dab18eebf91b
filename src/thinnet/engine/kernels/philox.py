"""Philox4x32-10 (Salmon et al. 2011): the compiled twin of `thinnet.philox`.

Eight counters or more are computed at once, in the lanes of vectors.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from llvmlite import ir

from thinnet import philox
from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Value,
    Word,
)
from thinnet.engine.compile import inlined
from thinnet.engine.instructions import in_all_lanes

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
LANES: Final = 8
WORD, INDEX = ir.IntType(64), ir.IntType(32)


class Stream(NamedTuple):
    """Whose numbers are drawn, in words: the compiled twin of `thinnet.philox.Stream`."""

    k0: Word  # the seed
    k1: Word
    number: Word
    step: Word


def stream_numbers(stream: philox.Stream) -> tuple[int, int, int, int]:
    """The fields of its compiled twin."""
    return stream.seed & 0xFFFFFFFF, stream.seed >> 32, stream.number, stream.step


def stream_of(stream: philox.Stream) -> Stream:
    return Stream(*map(np.uint64, stream_numbers(stream)))


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


def rounds(builder: Builder, counter: Arguments, keys: Arguments) -> Arguments:
    """`words` of many counters, in the lanes of four vectors; upper halves are garbage."""
    c0, c1, c2, c3 = counter
    k0, k1 = (in_all_lanes(builder, key, c0.type) for key in keys)
    for _ in range(10):
        p, q = _times(builder, c0, M0), _times(builder, c2, M1)
        c0 = _xor(builder, _upper(builder, q), c1, k0)
        c2 = _xor(builder, _upper(builder, p), c3, k1)
        c1, c3 = q, p
        k0, k1 = builder.add(k0, _each(c0, W0)), builder.add(k1, _each(c0, W1))
    return c0, c1, c2, c3


def _times(builder: Builder, words: Value, by: Word) -> Value:
    return builder.mul(builder.and_(words, _each(words, LOW)), _each(words, by))


def _upper(builder: Builder, words: Value) -> Value:
    """The upper half of each word, in both halves.

    Moved, not shifted: Intel's processors shift vectors where they multiply, which is what there is
    most of to do.
    """
    halves = halves_of(builder, words)
    odd = ir.Constant(halves.type, [i | 1 for i in range(halves.type.count)])
    return builder.bitcast(builder.shuffle_vector(halves, halves, odd), words.type)


def halves_of(builder: Builder, words: Value) -> Value:
    return builder.bitcast(words, ir.VectorType(INDEX, 2 * words.type.count))


def _xor(builder: Builder, a: Value, b: Value, c: Value) -> Value:
    return builder.xor(builder.xor(a, b), c)


def _each(like: Value, number: int | Word) -> Value:
    return ir.Constant(like.type, [int(number)] * like.type.count)


def counters(builder: Builder, n: int, block: Value, others: Arguments) -> Arguments:
    """n counters of neighbouring blocks, from `block` on."""
    words = ir.VectorType(WORD, n)
    first, *rest = (in_all_lanes(builder, word, words) for word in (block, *others))
    return builder.add(first, ir.Constant(words, list(range(n)))), *rest
