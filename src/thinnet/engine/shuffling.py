"""The order of an epoch by compiled code: `thinnet.philox.permutation`, a hundred times as fast."""

from __future__ import annotations

import numpy as np

from thinnet import philox
from thinnet.arrays import Array
from thinnet.engine.kernels.philox import first_words
from thinnet.philox import Purpose, Stream


def permutation(seed: int, purpose: Purpose, step: int, n: int) -> Array:
    keys = np.empty(n, np.uint64)
    stream = Stream(seed, purpose, step=step)
    low, high = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)
    first_words(keys, low, high, np.uint64(stream.number), np.uint64(step))
    return philox.order_of(keys)
