"""Inverted dropout of rows; linear, so its own backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.philox import keep_bits


@kernel
def apply_bits(x: Any, bits: Any, scale: Any, out: Any) -> None:
    """``out = x * scale`` where the unit's bit is set, 0 elsewhere; for one row."""
    zero = x.dtype.type(0)
    whole = x.size // 8
    for block in range(whole):
        byte = np.uint32(bits[block])
        for d in range(8):
            value = x[8 * block + d] * scale
            out[8 * block + d] = value if (byte >> np.uint32(d)) & np.uint32(1) else zero
    for unit in range(8 * whole, x.size):
        kept = (np.uint32(bits[unit // 8]) >> np.uint32(unit % 8)) & np.uint32(1)
        out[unit] = x[unit] * scale if kept else zero


@kernel
def dropout_rows(
    x: Any,
    samples: Any,
    k0: Any,
    k1: Any,
    stream: Any,
    step: Any,
    limit: Any,
    scale: Any,
    bits: Any,
    out: Any,
) -> None:
    """Dropout of the rows of `x` with ids `samples`; `bits` holds the bytes of one row."""
    for row in range(x.shape[0]):
        keep_bits(bits, k0, k1, stream, step, np.uint64(samples[row]), limit)
        apply_bits(x[row], bits, scale, out[row])
