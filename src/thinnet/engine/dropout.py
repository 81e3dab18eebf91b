"""Dropout of a whole array by compiled code, on as many threads as pay."""

from __future__ import annotations

import math

import numpy as np

from thinnet import masks
from thinnet.arrays import Array, Ids
from thinnet.engine.kernels.dropout import dropout_rows
from thinnet.engine.threads import n_threads, run_team
from thinnet.philox import Stream

ROWS_OF_A_SHARD = 64
WORTH_A_THREAD = 2**19  # elements: starting a thread costs about as much as dropping this many


def dropout(x: Array, ids: Ids, stream: Stream, rate: float, out: Array) -> None:
    """`masks.scaled` with the mask of `ids`, one for each row; C-contiguous float32 or float64.

    Values are multiplied by 1/q, which is faster than dividing by q and as good to one rounding.
    """
    rows, written = x.reshape(len(x), -1), out.reshape(len(x), -1)
    shards = math.ceil(len(x) / ROWS_OF_A_SHARD)
    size = max(1, min(n_threads(), rows.size // WORTH_A_THREAD, shards))
    bits = np.empty((size, math.ceil(rows.shape[1] / 8)), np.uint8)
    run_team(size, _shards, rows, ids, stream, rate, bits, written)


def _shards(
    me: int, size: int, x: Array, ids: Ids, stream: Stream, rate: float, bits: Array, out: Array
) -> None:
    """Every `size`-th shard of the rows; which thread takes a shard changes no number."""
    key = np.uint64(stream.seed & 0xFFFFFFFF), np.uint64(stream.seed >> 32)
    counter = np.uint64(stream.number), np.uint64(stream.step)
    scale = x.dtype.type(1 / masks.keep_probability(rate))
    limit = np.uint64(masks.threshold(rate))
    for start in range(me * ROWS_OF_A_SHARD, len(x), size * ROWS_OF_A_SHARD):
        rows = slice(start, start + ROWS_OF_A_SHARD)
        dropout_rows(x[rows], ids[rows], *key, *counter, limit, scale, bits[me], out[rows])
