"""Inverted dropout of rows; linear, so its own backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.lanes import (
    EVERY,
    LANES,
    finish_rectified,
    finish_straight,
    scale_kept,
    tail,
)
from thinnet.engine.kernels.philox import keep_bits
from thinnet.engine.parts import part


@part
def apply_bits(x: Any, bits: Any, scale: Any, out: Any) -> None:
    """``out = x * scale`` where the unit's bit is set, 0 elsewhere; for one row.

    A byte more of `bits` than the row needs is looked at.
    """
    source, target = np.uint64(x.ctypes.data), np.uint64(out.ctypes.data)
    _apply(source, x.size, bits, scale, target, x.itemsize)


@part
def apply_bits_to_rows(
    rows: Any, n_rows: Any, width: Any, n: Any, bits: Any, between: Any, scale: Any
) -> None:
    """The same in place for several rows, stored `width` numbers and `between` bytes apart."""
    start, size = np.uint64(rows.ctypes.data), rows.itemsize
    for r in range(n_rows):
        row = start + np.uint64(r * width * size)
        _apply(row, n, bits[r * between :], scale, row, size)


@part
def finish_rows(
    rectifies: Any, rows: Any, n_rows: Any, width: Any, n: Any, bias: Any, bits: Any, between: Any,
    scale: Any,
) -> None:  # fmt: skip
    """Bias, ReLU or nothing, and dropout in one sweep; without `bits` all is kept."""
    start, size, source = np.uint64(rows.ctypes.data), rows.itemsize, np.uint64(bias.ctypes.data)
    for r in range(n_rows):
        row, mine = start + np.uint64(r * width * size), bits[r * between :]
        for i in range(0, n, LANES):
            there, ahead = EVERY if i + LANES <= n else tail(n), np.uint64(i * size)
            kept = _word(mine, i // LANES)
            if rectifies:
                finish_rectified(row + ahead, source + ahead, kept, there, scale)
            else:
                finish_straight(row + ahead, source + ahead, kept, there, scale)


@part
def _apply(source: Any, n: Any, bits: Any, scale: Any, target: Any, size: Any) -> None:
    whole = n // LANES
    for i in range(whole):
        ahead = np.uint64(i * LANES * size)
        scale_kept(source + ahead, _word(bits, i), EVERY, scale, target + ahead)
    if n % LANES:
        ahead = np.uint64(whole * LANES * size)
        scale_kept(source + ahead, _word(bits, whole), tail(n), scale, target + ahead)


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
