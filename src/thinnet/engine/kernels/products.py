"""The three products of a Dense layer, on the calling thread.

Rows are stored one behind the other with room for all units, of which a thin operation uses the
first; so a product has the sizes that are in use, and the lengths of stored rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Address, Like, Numbers
from thinnet.engine.blas import PLAIN, TRANSPOSED, Matrix, Sizes, gemm, library
from thinnet.engine.kernels.lanes import sum_rows
from thinnet.engine.kernels.memory import address_of, size_of, view
from thinnet.engine.kernels.presence import n_inputs, n_outputs
from thinnet.engine.kernels.single import AT_ONCE, row_product
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work

library()  # before any machine code that calls it by name is compiled or read from the cache

# Rows of a prediction are worked on in tiles of so many, of which every place is computed alike by
# all kernels of the library but one (it works on groups of 4, 8, 12 or 24); tests permute rows.
TILE: Final = 48
# Rows of one product where that is not so.
PIECES: Final = {("SkylakeX", 4): 0, ("SkylakeX", 8): 0, ("Haswell", 4): 8, ("Haswell", 8): 0}
UNKNOWN_PIECE: Final = 8
# Up to so many rows each has a product of its own, where it is known how to get the same bits:
# the longest chain of terms (`kernels.single`).
FEW: Final = 4
CHAINS: Final = {("SkylakeX", 4): 448}
# The library has faster kernels for products of at most so many multiply-adds, with a sum of
# another order; so that a row's neighbours don't matter, the choice is made for a tile.
SMALL: Final = 1_000_000


def _core_and_size(dtype: np.dtype) -> tuple[str, int]:
    found = library()
    return "" if found is None else found.core, dtype.itemsize


def piece_of(dtype: np.dtype) -> int:
    """Rows of one product of a prediction; 0 where whole shards will do."""
    return PIECES.get(_core_and_size(dtype), UNKNOWN_PIECE)


def chain_of(dtype: np.dtype) -> int:
    """The longest chain of the library's sums; 0 where it is not known."""
    return CHAINS.get(_core_and_size(dtype), 0)


@part
def weights_of(op: Operation, w: Work) -> Address:
    """The address of the weights as the operation sees them."""
    return w.seen if op.thin_in or op.thin_out or op.dropped else w.theta


@part
def is_small(n_in: int, n_out: int) -> bool:
    return TILE * n_in * n_out <= SMALL


@part
def dense(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``y = x @ W.T``; a prediction's rows are filled up to whole tiles with what stands there."""
    n_in, n_out, rows = n_inputs(op, w), n_outputs(op, w), high - low
    small = is_small(n_in, n_out)
    if w.chain and rows <= FEW and n_out >= AT_ONCE and not small:
        few_rows(op, low, high, n_in, n_out, w, like)
        return
    rows = (rows + w.tile - 1) // w.tile * w.tile
    step = w.piece
    if step == 0:
        step = TILE if small else rows
    for first in range(low, low + rows, step):
        some_rows(op, first, min(step, low + rows - first), n_in, n_out, w, like)


@part
def matrix(start: Address, column: int, width: int, order: int, like: Like) -> Matrix:
    """What begins so many numbers behind an address."""
    return Matrix(start + column * size_of(like), width, order)


@part
def some_rows(
    op: Operation, first: int, rows: int, n_in: int, n_out: int, w: Work, like: Like
) -> None:
    at_x, at_y = op.x * w.capacity + first * op.n_in, op.y * w.capacity + first * op.n_out
    x = matrix(w.activations, at_x, op.n_in, PLAIN, like)
    weights = matrix(weights_of(op, w), op.weights, op.n_in, TRANSPOSED, like)
    y = matrix(w.activations, at_y, op.n_out, PLAIN, like)
    gemm(x, weights, y, Sizes(rows, n_out, n_in), like)


@part
def few_rows(
    op: Operation, low: int, high: int, n_in: int, n_out: int, w: Work, like: Like
) -> None:
    activations, weights = view(w.activations, like), view(weights_of(op, w), like)[op.weights :]
    for r in range(low, high):
        x = activations[op.x * w.capacity + r * op.n_in :][:n_in]
        y = activations[op.y * w.capacity + r * op.n_out :][:n_out]
        row_product(x, weights, op.n_in, w.chain, y)


@part
def dense_backward(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``dx = dy @ W``: the gradient of the input."""
    if op.dx == NO_PLACE:
        return
    at_dy, at_dx = op.dy * w.capacity + low * op.n_out, op.dx * w.capacity + low * op.n_in
    dy = matrix(w.slopes, at_dy, op.n_out, PLAIN, like)
    weights = matrix(weights_of(op, w), op.weights, op.n_in, PLAIN, like)
    dx = matrix(w.slopes, at_dx, op.n_in, PLAIN, like)
    gemm(dy, weights, dx, Sizes(high - low, n_inputs(op, w), n_outputs(op, w)), like)


@part
def weight_gradient(op: Operation, low: int, high: int, now: Round, w: Work, out: Numbers) -> None:
    """``dW = dy.T @ x`` of the places `low` to `high`."""
    like = out.dtype.type(0)
    dy = matrix(w.slopes, op.dy * w.capacity + low, op.n_out, TRANSPOSED, like)
    x = matrix(w.activations, op.x * w.capacity, op.n_in, PLAIN, like)
    dw = Matrix(address_of(out), op.n_in, PLAIN)
    gemm(dy, x, dw, Sizes(high - low, n_inputs(op, w), now.rows), like)


@part
def bias_gradient(op: Operation, low: int, now: Round, w: Work, out: Numbers) -> None:
    """``db``: the sum of the rows of dy, from the place `low` on."""
    slopes = view(w.slopes, out.dtype.type(0))
    sum_rows(slopes[op.dy * w.capacity + low :], now.rows, op.n_out, out)
