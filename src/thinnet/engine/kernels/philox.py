"""Keep bits by Philox4x32-10: the compiled twin of `thinnet.masks.mask`.

A counter serves eight neighbouring units, so its keep bits fill one byte, bit d for unit
``8 * block + d``.  Bytes of one row are computed lane by lane, which the compiler vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import inlined, kernel
from thinnet.engine.parts import part

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
LOW16, SHIFT16 = np.uint64(0xFFFF), np.uint64(16)


@inlined
def words(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
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
def keep_byte(block: Any, sample: Any, step: Any, stream: Any, k0: Any, k1: Any, limit: Any) -> Any:
    """The keep bits of the eight units from ``8 * block`` on."""
    c0, c1, c2, c3 = words(block, sample, step, stream, k0, k1)
    bits = np.uint64((c0 & LOW16) >= limit)
    bits |= np.uint64((c0 >> SHIFT16) >= limit) << np.uint64(1)
    bits |= np.uint64((c1 & LOW16) >= limit) << np.uint64(2)
    bits |= np.uint64((c1 >> SHIFT16) >= limit) << np.uint64(3)
    bits |= np.uint64((c2 & LOW16) >= limit) << np.uint64(4)
    bits |= np.uint64((c2 >> SHIFT16) >= limit) << np.uint64(5)
    bits |= np.uint64((c3 & LOW16) >= limit) << np.uint64(6)
    bits |= np.uint64((c3 >> SHIFT16) >= limit) << np.uint64(7)
    return np.uint8(bits)


@part
def keep_bits(
    out: Any, k0: Any, k1: Any, stream: Any, step: Any, sample: Any, limit: Any, start: Any = 0
) -> None:
    """Write the keep bits of one row, a byte for each block from `start` on."""
    for i in range(out.size):
        out[i] = keep_byte(np.uint64(start + i), sample, step, stream, k0, k1, limit)


@part
def keep_bits_of_rows(
    out: Any, blocks: Any, k0: Any, k1: Any, stream: Any, step: Any, samples: Any, limit: Any
) -> None:
    """Write those of several short rows, one lane for each; `blocks` bytes a row."""
    rows = samples.size
    column = out[rows * blocks : rows * (blocks + 1)]
    for block in range(blocks):
        for r in range(rows):
            column[r] = keep_byte(np.uint64(block), samples[r], step, stream, k0, k1, limit)
        for r in range(rows):
            out[r * blocks + block] = column[r]


@kernel
def first_words(out: Any, k0: Any, k1: Any, stream: Any, step: Any) -> None:
    """The first two words of counters (i, 0, step, stream) as one number."""
    for i in range(out.size):
        c0, c1, _, _ = words(np.uint64(i), np.uint64(0), step, stream, k0, k1)
        out[i] = c0 | (c1 << HALF)
