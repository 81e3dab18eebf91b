"""Standard normal numbers: the compiled twin of `thinnet.philox.normals` (Box and Muller 1958)."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Reals, Word
from thinnet.engine.kernels.functions import cos_sin, log
from thinnet.engine.kernels.philox import Stream, stream_words
from thinnet.engine.linking import exact_part


@exact_part
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


@exact_part
def _pair(first: Word, second: Word) -> tuple[float, float]:
    radius = np.sqrt(-2.0 * log((np.float64(first) + 1.0) * 2.0**-32))
    c, s = cos_sin(int(np.int64(second)))
    return radius * c, radius * s
