"""Inverted dropout of rows; linear, so its own backward."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.lanes import LANES, scale_kept
from thinnet.engine.kernels.philox import keep_bits
from thinnet.engine.parts import part

EVERY: Final = np.uint16(2**LANES - 1)


@part
def apply_bits(x: Any, bits: Any, scale: Any, out: Any) -> None:
    """``out = x * scale`` where the unit's bit is set, 0 elsewhere; for one row.

    A byte more of `bits` than the row needs is looked at.
    """
    source, target = np.uint64(x.ctypes.data), np.uint64(out.ctypes.data)
    whole, rest, size = x.size // LANES, x.size % LANES, LANES * x.itemsize
    for i in range(whole):
        ahead = np.uint64(i * size)
        scale_kept(source + ahead, _word(bits, i), EVERY, scale, target + ahead)
    if rest:
        there, ahead = np.uint16((1 << rest) - 1), np.uint64(whole * size)
        scale_kept(source + ahead, _word(bits, whole), there, scale, target + ahead)


@part
def _word(bits: Any, i: Any) -> Any:
    return np.uint16(bits[2 * i] | (np.uint16(bits[2 * i + 1]) << np.uint16(8)))


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
    """Dropout of the rows of `x` with ids `samples`; `bits` has room for one row, and a byte."""
    for row in range(x.shape[0]):
        keep_bits(bits[:-1], k0, k1, stream, step, np.uint64(samples[row]), limit)
        apply_bits(x[row], bits, scale, out[row])
