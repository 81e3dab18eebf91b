"""The three products of a Dense layer, for C-contiguous rows, on the calling thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.blas import PLAIN, TRANSPOSED, gemm, library
from thinnet.engine.compile import kernel

library()  # before any machine code that calls it by name is compiled or read from the cache


@kernel
def times_transposed(x: Any, w: Any, y: Any) -> None:
    """``y = x @ w.T``: forward."""
    rows, width = x.shape
    units = w.shape[0]
    one, zero = x.dtype.type(1), x.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(PLAIN), np.int32(TRANSPOSED), np.int32(rows), np.int32(units), np.int32(width),
        one, x.ctypes.data, np.int32(width), w.ctypes.data, np.int32(width),
        zero, y.ctypes.data, np.int32(units),
    )  # fmt: skip


@kernel
def times(dy: Any, w: Any, dx: Any) -> None:
    """``dx = dy @ w``: the gradient of the input."""
    rows, units = dy.shape
    width = w.shape[1]
    one, zero = dy.dtype.type(1), dy.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(PLAIN), np.int32(PLAIN), np.int32(rows), np.int32(width), np.int32(units),
        one, dy.ctypes.data, np.int32(units), w.ctypes.data, np.int32(width),
        zero, dx.ctypes.data, np.int32(width),
    )  # fmt: skip


@kernel
def transposed_times(dy: Any, x: Any, dw: Any) -> None:
    """``dw = dy.T @ x``: the gradient of the weights."""
    rows, units = dy.shape
    width = x.shape[1]
    one, zero = dy.dtype.type(1), dy.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(TRANSPOSED), np.int32(PLAIN), np.int32(units), np.int32(width), np.int32(rows),
        one, dy.ctypes.data, np.int32(units), x.ctypes.data, np.int32(width),
        zero, dw.ctypes.data, np.int32(width),
    )  # fmt: skip
