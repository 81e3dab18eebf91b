"""Keep bits by Philox4x32-10: the compiled twin of `thinnet.masks.mask`.

A counter serves eight neighbouring units, so its keep bits fill one byte, bit d for unit
``8 * block + d``.  Bytes of one row are computed lane by lane, which the compiler vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
LOW16, SHIFT16 = np.uint64(0xFFFF), np.uint64(16)


@kernel
def keep_bits(out: Any, k0: Any, k1: Any, stream: Any, step: Any, sample: Any, limit: Any) -> None:
    """Write the keep bits of one row: ``out[block]`` for units 8 * block to 8 * block + 7.

    Every scalar is a uint64 that holds a 32-bit number: the lanes of the 32 x 32 bit products are
    64 bits wide, and stay so.
    """
    for block in range(out.size):
        c0, c1, c2, c3 = np.uint64(block), sample, step, stream
        a, b = k0, k1
        for _ in range(10):
            p, q = M0 * c0, M1 * c2
            c0, c2 = (q >> HALF) ^ c1 ^ a, (p >> HALF) ^ c3 ^ b
            c1, c3 = q & LOW, p & LOW
            a, b = (a + W0) & LOW, (b + W1) & LOW
        bits = np.uint64((c0 & LOW16) >= limit)
        bits |= np.uint64((c0 >> SHIFT16) >= limit) << np.uint64(1)
        bits |= np.uint64((c1 & LOW16) >= limit) << np.uint64(2)
        bits |= np.uint64((c1 >> SHIFT16) >= limit) << np.uint64(3)
        bits |= np.uint64((c2 & LOW16) >= limit) << np.uint64(4)
        bits |= np.uint64((c2 >> SHIFT16) >= limit) << np.uint64(5)
        bits |= np.uint64((c3 & LOW16) >= limit) << np.uint64(6)
        bits |= np.uint64((c3 >> SHIFT16) >= limit) << np.uint64(7)
        out[block] = np.uint8(bits)
