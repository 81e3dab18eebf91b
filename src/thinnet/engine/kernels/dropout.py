"""Inverted dropout of rows; linear, so its own backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.lanes import LANES, scale_kept
from thinnet.engine.kernels.philox import keep_bits


@kernel
def apply_bits(x: Any, bits: Any, scale: Any, out: Any) -> None:
    """``out = x * scale`` where the unit's bit is set, 0 elsewhere; for one row."""
    whole = x.size // LANES
    source, target = np.uint64(x.ctypes.data), np.uint64(out.ctypes.data)
    stride = np.uint64(LANES * x.itemsize)
    for i in range(whole):
        word = np.uint16(bits[2 * i]) | np.uint16(np.uint16(bits[2 * i + 1]) << np.uint16(8))
        ahead = np.uint64(i) * stride
        scale_kept(source + ahead, np.uint16(word), scale, target + ahead)  # type: ignore[call-arg]
    for unit in range(LANES * whole, x.size):
        kept = (np.uint32(bits[unit // 8]) >> np.uint32(unit % 8)) & np.uint32(1)
        out[unit] = x[unit] * scale if kept else x.dtype.type(0)


@kernel
def dropout_rows(
    x: Any,
    samples: Any,
    bits: Any,
    out: Any,
    k0: Any,
    k1: Any,
    stream: Any,
    step: Any,
    limit: Any,
    scale: Any,
) -> None:
    """Dropout of the rows of `x` with ids `samples`; `bits` has room for those of one row."""
    for row in range(x.shape[0]):
        keep_bits(bits, k0, k1, stream, step, np.uint64(samples[row]), limit)
        apply_bits(x[row], bits, scale, out[row])
