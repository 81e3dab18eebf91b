"""Dropout of a whole array by compiled code, on as many threads as pay."""

from __future__ import annotations

import math

import numpy as np

from thinnet import masks
from thinnet.arrays import Array, Ids
from thinnet.engine.kernels import philox as compiled
from thinnet.engine.kernels.dropout import Mask, dropout_rows
from thinnet.engine.threads import n_threads, run_team
from thinnet.philox import Stream

WORTH_A_THREAD = 2**16  # elements: waking a thread costs as much as dropping this many


def dropout(x: Array, ids: Ids, stream: Stream, rate: float, out: Array) -> None:
    """`masks.scaled` with the mask of `ids`, one for each row; C-contiguous float32 or float64.

    Values are multiplied by 1/q, which is faster than dividing by q and as good to one rounding.
    """
    rows, written = x.reshape(len(x), -1), out.reshape(len(x), -1)
    worth = min(rows.size // WORTH_A_THREAD, len(x))
    size = min(n_threads(), worth) if worth > 1 else 1
    limit = masks.threshold(rate)
    mask = Mask(np.uint64(limit), x.dtype.type(masks.LEVELS / (masks.LEVELS - limit)))
    bits = np.empty((size, math.ceil(rows.shape[1] / 8) + 8), np.uint8)
    run_team(size, _part, rows, ids, bits, written, compiled.stream_of(stream), mask)


def _part(
    me: int,
    size: int,
    x: Array,
    ids: Ids,
    bits: Array,
    out: Array,
    stream: compiled.Stream,
    mask: Mask,
) -> None:
    """The rows of one thread; rows know nothing of each other, so no number depends on `size`."""
    rows = slice(me * len(x) // size, (me + 1) * len(x) // size)
    dropout_rows(x[rows], ids[rows], bits[me], out[rows], stream, mask)
