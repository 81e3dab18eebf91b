"""The three products of a Dense layer, on the calling thread.

Matrices are given by a flat array, the place where they start in it, and the length of a stored
row, of which only the first `n_in` or `n_out` numbers may be in use.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.blas import PLAIN, TRANSPOSED, gemm, library
from thinnet.engine.compile import kernel

library()  # before any machine code that calls it by name is compiled or read from the cache

# Rows of a prediction are worked on in tiles of so many, of which every place is computed alike by
# all kernels of the library (it works on groups of 4, 8, 12 or 24); a test permutes and splits rows.
TILE: Final = 48
# The library has faster kernels for products of at most so many multiply-adds, with a sum of
# another order; so that a row's place doesn't matter, the choice is made for a tile.
SMALL: Final = 1_000_000


@kernel
def _at(values: Any, place: Any) -> Any:
    return values.ctypes.data + np.uint64(place * values.itemsize)


@kernel
def forward(
    rows: Any,
    n_in: Any,
    n_out: Any,
    x: Any,
    at_x: Any,
    ld_x: Any,
    w: Any,
    at_w: Any,
    ld_w: Any,
    y: Any,
    at_y: Any,
    ld_y: Any,
) -> None:
    """``y = x @ w.T``."""
    step = TILE if TILE * n_in * n_out <= SMALL else rows
    for first in range(0, rows, step):
        _forward(
            min(step, rows - first), n_in, n_out,
            x, at_x + first * ld_x, ld_x, w, at_w, ld_w, y, at_y + first * ld_y, ld_y,
        )  # fmt: skip


@kernel
def _forward(
    rows: Any,
    n_in: Any,
    n_out: Any,
    x: Any,
    at_x: Any,
    ld_x: Any,
    w: Any,
    at_w: Any,
    ld_w: Any,
    y: Any,
    at_y: Any,
    ld_y: Any,
) -> None:
    one, zero = x.dtype.type(1), x.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(PLAIN), np.int32(TRANSPOSED), np.int32(rows), np.int32(n_out), np.int32(n_in),
        one, _at(x, at_x), np.int32(ld_x), _at(w, at_w), np.int32(ld_w),
        zero, _at(y, at_y), np.int32(ld_y),
    )  # fmt: skip


@kernel
def backward(
    rows: Any,
    n_in: Any,
    n_out: Any,
    dy: Any,
    at_dy: Any,
    ld_dy: Any,
    w: Any,
    at_w: Any,
    ld_w: Any,
    dx: Any,
    at_dx: Any,
    ld_dx: Any,
) -> None:
    """``dx = dy @ w``: the gradient of the input."""
    one, zero = dy.dtype.type(1), dy.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(PLAIN), np.int32(PLAIN), np.int32(rows), np.int32(n_in), np.int32(n_out),
        one, _at(dy, at_dy), np.int32(ld_dy), _at(w, at_w), np.int32(ld_w),
        zero, _at(dx, at_dx), np.int32(ld_dx),
    )  # fmt: skip


@kernel
def weight_gradient(
    rows: Any,
    n_in: Any,
    n_out: Any,
    dy: Any,
    at_dy: Any,
    ld_dy: Any,
    x: Any,
    at_x: Any,
    ld_x: Any,
    dw: Any,
    at_dw: Any,
    ld_dw: Any,
) -> None:
    """``dw = dy.T @ x``: the gradient of the weights."""
    one, zero = dy.dtype.type(1), dy.dtype.type(0)
    gemm(  # type: ignore[call-arg]
        np.int32(TRANSPOSED), np.int32(PLAIN), np.int32(n_out), np.int32(n_in), np.int32(rows),
        one, _at(dy, at_dy), np.int32(ld_dy), _at(x, at_x), np.int32(ld_x),
        zero, _at(dw, at_dw), np.int32(ld_dw),
    )  # fmt: skip


@kernel
def sum_rows(rows: Any, dy: Any, at: Any, ld: Any, out: Any) -> None:
    """``out = sum of rows``, of the columns from `at` on."""
    out[:] = 0
    for r in range(rows):
        row = dy[at + r * ld : at + r * ld + out.size]
        for i in range(out.size):
            out[i] += row[i]
