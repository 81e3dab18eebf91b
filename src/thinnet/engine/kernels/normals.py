"""Standard normal numbers: the compiled twin of `thinnet.philox.normals` (Box and Muller 1958).

Nothing is fused, so that NumPy gives the same bits.
"""

from __future__ import annotations

import numpy as np

from thinnet.arithmetic import COSINE, FULL_TURN, LOG_2, ODD_PARTS, SINE
from thinnet.engine.aliases import Reals, Word
from thinnet.engine.kernels.functions import plain_polynomial
from thinnet.engine.kernels.logarithms import split
from thinnet.engine.kernels.philox import Stream, stream_words
from thinnet.engine.linking import part


@part
def normals(out: Reals, stream: Stream, sample: Word) -> None:
    """Write the numbers of one row, in float64; a counter serves four neighbouring units."""
    whole = out.size // 4
    for block in range(whole):
        w0, w1, w2, w3 = stream_words(np.uint64(block), sample, stream)
        out[4 * block], out[4 * block + 1] = _pair(w0, w1)
        out[4 * block + 2], out[4 * block + 3] = _pair(w2, w3)
    if 4 * whole < out.size:
        w0, w1, w2, w3 = stream_words(np.uint64(whole), sample, stream)
        a, b = _pair(w0, w1)
        c, _ = _pair(w2, w3)
        for i in range(4 * whole, out.size):
            k = i - 4 * whole
            out[i] = a if k == 0 else (b if k == 1 else c)


EIGHTH, FOURTH = np.int64(2**29), np.int64(2**30)
PER_PART = FULL_TURN / 2**32


@part
def _log(x: np.float64) -> np.float64:
    """`arithmetic.log`."""
    m, n = split(x)
    s = (m - 1.0) / (m + 1.0)
    return n * LOG_2[0] + (n * LOG_2[1] + 2.0 * s * plain_polynomial(ODD_PARTS, s * s))


@part
def _cos_sin(turn: np.int64) -> tuple[float, float]:
    """`arithmetic.cos_sin` of ``turn / 2^32``."""
    quarter = (turn + EIGHTH) // FOURTH
    r = np.float64(turn - quarter * FOURTH) * PER_PART
    c, s = plain_polynomial(COSINE, r * r), r * plain_polynomial(SINE, r * r)
    if quarter & np.int64(1):
        c, s = -s, c
    return (-c, -s) if quarter & np.int64(2) else (c, s)


@part
def _pair(first: Word, second: Word) -> tuple[float, float]:
    radius = np.sqrt(-2.0 * _log((np.float64(first) + 1.0) * 2.0**-32))
    c, s = _cos_sin(np.int64(second))
    return radius * c, radius * s
