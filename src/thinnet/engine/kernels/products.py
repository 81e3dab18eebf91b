"""The three products of a Dense layer on the calling thread, by docs/arithmetic.md."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.engine.aliases import Like, Numbers
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.direct import FEW_UNITS, Lines, narrow_product, row_product
from thinnet.engine.kernels.lanes import fetch_line, sum_rows
from thinnet.engine.kernels.lookup_gradients import lookup_gradient
from thinnet.engine.kernels.memory import address_of, size_of, view
from thinnet.engine.kernels.panels import padded, panel_width, vector_of
from thinnet.engine.kernels.presence import cut_at, is_drawn, n_inputs, n_outputs
from thinnet.engine.kernels.sparse_gradients import sparse_gradient
from thinnet.engine.kernels.sums import join_leaf, join_rest, n_leaves
from thinnet.engine.kernels.tiles import (
    ADD,
    ADD_TO_ZERO,
    STORE,
    VECTOR_BYTES,
    VECTORS,
    Panel,
    Strided,
    panel_product,
)
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work

FEW_INPUTS: Final = 8  # times as many units or more: a wider layer has few inputs
# Inputs from which slopes are read so often that they are brought together, and the rows up to
# which they then stay in cache.
MANY_INPUTS, MANY_ROWS = 128, 1024
ROWS_AHEAD: Final = 16  # that are fetched before they are brought together
PAIR: Final = 2 * ROWS_OF_A_LEAF  # two leaves, of which the second is added as it is stored


@part
def dense(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``y = x @ W.T``, without the bias."""
    if w.direct or (op.n_out <= FEW_UNITS and not is_drawn(op)):
        as_it_lies(op, low, high, w, like)
        return
    size = size_of(like)
    x = w.activations + (op.x * w.capacity + low * op.stride_in) * size
    y = w.activations + (op.y * w.capacity + low * op.stride_out) * size
    by_panels(
        Strided(x, op.stride_in * size, size),
        Strided(y, op.stride_out * size, size),
        Panels(w.panels + op.forward_panels * size, padded(op.n_in, size), n_outputs(op, w)),
        Terms(op.side_in if op.thin_in else 0, n_inputs(op, w)),
        high - low, w, like,
    )  # fmt: skip


@part
def as_it_lies(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """The same with W as it stands in theta."""
    size, rows = size_of(like), high - low
    x = w.activations + (op.x * w.capacity + low * op.stride_in) * size
    y = w.activations + (op.y * w.capacity + low * op.stride_out) * size
    weights = Lines(w.theta + op.weights * size, op.n_in * size, op.n_out)
    if op.n_out <= FEW_UNITS:
        out = Strided(y, op.stride_out * size, size)
        narrow_product(Lines(x, op.stride_in * size, rows), weights, op.n_in, out, like)
        return
    for r in range(rows):
        row, out_row = x + r * op.stride_in * size, y + r * op.stride_out * size
        row_product(row, weights, op.n_in, out_row, like)


@part
def dense_backward(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``dx = dy @ W``: the gradient of the input."""
    if op.dx == NO_PLACE:
        return
    size = size_of(like)
    dy = w.slopes + (op.dy * w.capacity + low * op.stride_out) * size
    dx = w.slopes + (op.dx * w.capacity + low * op.stride_in) * size
    by_panels(
        Strided(dy, op.stride_out * size, size),
        Strided(dx, op.stride_in * size, size),
        Panels(w.panels + op.backward_panels * size, padded(op.n_out, size), n_inputs(op, w)),
        Terms(op.side_out if op.thin_out else 0, n_outputs(op, w)),
        high - low, w, like,
    )  # fmt: skip


class Panels(NamedTuple):
    """An address, the rows that each panel has room for, and the columns that are in use."""

    start: int
    room: int
    columns: int


class Terms(NamedTuple):
    """Those of a side's units that exist, n in all."""

    side: int
    n: int


@part
def by_panels(
    a: Strided, c: Strided, panels: Panels, terms: Terms, rows: int, w: Work, like: Like
) -> None:
    """``c = a @ panels``."""
    size = size_of(like)
    for first in range(0, panels.columns, VECTORS * vector_of(size)):
        width = panel_width(first, panels.columns, size)
        start, term = panels.start + first * panels.room * size, width * size
        panel = Panel(start, term, start + panels.room * term)
        out = Strided(c.start + first * size, c.row, c.term)
        in_blocks(a, panel, out, terms, rows, w, like)


@part
def in_blocks(
    a: Strided, panel: Panel, out: Strided, terms: Terms, rows: int, w: Work, like: Like
) -> None:
    """``out = a @ panel``, block by block."""
    size, mode, first, block = size_of(like), ADD_TO_ZERO, 0, 0
    vectors = panel.term // VECTOR_BYTES
    while first < terms.n:
        last = cut_at(terms.side, block, terms.n, w)
        if last > first:
            x = Strided(a.start + first * size, a.row, a.term)
            after = panel.start + last * panel.term
            then = after if last < terms.n else panel.then
            weights = Panel(panel.start + first * panel.term, panel.term, then)
            panel_product(x, weights, out, rows, vectors, last - first, mode, like)
            mode = ADD
        first, block = last, block + 1
    if terms.n == 0:
        clear(out, rows, panel.term // size, like)


@part
def clear(out: Strided, rows: int, n: int, like: Like) -> None:
    for r in range(rows):
        view(out.start + r * out.row, like)[:n] = 0


@part
def weight_gradient(
    op: Operation, low: int, high: int, now: Round, w: Work, out: Numbers, stack: Numbers
) -> None:
    """``dW = dy.T @ x`` of the places `low` to `high`; rows of `out` lie as those of x."""
    if op.lookups:
        lookup_gradient(op, low, high, now, w, out, stack)
        return
    if op.sparse:
        sparse_gradient(op, low, high, now, w, out, stack)
        return
    size, units, n_in = out.itemsize, high - low, n_inputs(op, w)
    dy = Strided(w.slopes + (op.dy * w.capacity + low) * size, size, op.stride_out * size)
    x = Strided(w.activations + op.x * w.capacity * size, size, op.stride_in * size)
    place = Strided(address_of(out), op.stride_in * size, size)
    if n_in * FEW_INPUTS > units or n_in == 0:
        if n_in >= MANY_INPUTS and now.rows <= MANY_ROWS:
            near = stack[stack.size - now.rows * units :]
            bring_together(dy, units, now.rows, near)
            dy = Strided(address_of(near), size, units * size)
        over_rows(dy, x, place, units, n_in, now.rows, stack)
        return
    # With few inputs a panel of them would be padding for the most part: they become the rows.
    width = padded(units, size)
    turned, spare = stack[: n_in * width], stack[n_in * width :]
    across = Strided(address_of(turned), width * size, size)
    over_rows(x, dy, across, n_in, units, now.rows, spare)
    for unit in range(units):
        for i in range(n_in):
            out[unit * op.stride_in + i] = turned[i * width + unit]


@part
def bring_together(a: Strided, n: int, rows: int, out: Numbers) -> None:
    """The first n numbers of each row, where one row begins as another ends.

    Rows apart lie on pages of their own, of which the processor remembers some dozens.
    """
    for r in range(rows):
        ahead = a.start + (r + ROWS_AHEAD) * a.term
        for i in range(0, n * out.itemsize, VECTOR_BYTES):
            fetch_line(np.uint64(ahead + i))
        copy(view(a.start + r * a.term, out.dtype.type(0)), out[r * n : (r + 1) * n])


@part
def over_rows(
    a: Strided, b: Strided, c: Strided, n_a: int, n_b: int, rows: int, stack: Numbers
) -> None:
    """``c = a.T @ b`` of n_a and n_b columns, summed over rows."""
    like, size = stack.dtype.type(0), stack.itemsize
    for first in range(0, n_b, VECTORS * vector_of(size)):
        width = panel_width(first, n_b, size)
        panel = Strided(b.start + first * size, b.row, b.term)
        target = Strided(c.start + first * size, c.row, c.term)
        if rows <= PAIR:
            pair_of_leaves(a, panel, target, n_a, width, 0, rows, like)
        else:
            joined = tree_of_pairs(a, panel, n_a, width, rows, stack)
            spread(joined, n_a, width, target)


@part
def pair_of_leaves(
    a: Strided, b: Strided, c: Strided, units: int, width: int, first: int, rows: int, like: Like
) -> None:
    """The sum of the two leaves from row `first` on."""
    vectors, beside = width // vector_of(size_of(like)), b.start + width * b.row
    for start in range(first, min(first + PAIR, rows), ROWS_OF_A_LEAF):
        n, mode = min(ROWS_OF_A_LEAF, rows - start), STORE if start == first else ADD
        after = b.start + (start + n) * b.term
        dy = Strided(a.start + start * a.term, a.row, a.term)
        x = Panel(b.start + start * b.term, b.term, after if start + n < rows else beside)
        panel_product(dy, x, c, units, vectors, n, mode, like)


@part
def tree_of_pairs(
    a: Strided, b: Strided, units: int, width: int, rows: int, stack: Numbers
) -> Numbers:
    """The sum of all pairs of leaves, in the first numbers of `stack`."""
    depth, block, like = 0, units * width, stack.dtype.type(0)
    for pair in range((rows + PAIR - 1) // PAIR):
        place = address_of(stack[depth * block :])
        node = Strided(place, width * stack.itemsize, stack.itemsize)
        pair_of_leaves(a, b, node, units, width, pair * PAIR, rows, like)
        depth = join_leaf(pair, depth + 1, stack, block)
    join_rest(depth, stack, block)
    return stack


@part
def spread(block: Numbers, rows: int, width: int, target: Strided) -> None:
    """Rows that lie one behind the other to where they belong."""
    like = block.dtype.type(0)
    for r in range(rows):
        copy(block[r * width :], view(target.start + r * target.row, like)[:width])


@part
def bias_gradient(
    op: Operation, low: int, now: Round, w: Work, out: Numbers, stack: Numbers
) -> None:
    """``db``: the sum of the rows of dy, from the place `low` on."""
    slopes, n, depth = view(w.slopes, out.dtype.type(0)), out.size, 0
    start = op.dy * w.capacity + low
    for leaf in range(n_leaves(now.rows)):
        first = leaf * ROWS_OF_A_LEAF
        rows = slopes[start + first * op.stride_out :]
        n_rows = min(ROWS_OF_A_LEAF, now.rows - first)
        sum_rows(rows, n_rows, op.stride_out, stack[depth * n : (depth + 1) * n])
        depth = join_leaf(leaf, depth + 1, stack, n)
    join_rest(depth, stack, n)
    copy(stack, out)
