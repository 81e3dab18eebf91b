"""The gradient of the weights of a first Dense layer, from sparse rows as they are stored.

Some inputs at a time have their gradients as rows, one number for each unit, which an entry's
multiple of dy is added to; what is summed is then turned, as gradients have a row for each unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.engine.aliases import (
    Address,
    Arguments,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Like,
    Longs,
    Number,
    Numbers,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, in_all_lanes
from thinnet.engine.kernels.entries import (
    Entries,
    bit_of,
    column_at,
    entries_of,
    kept,
    row_limits,
    value_at,
    word_of,
)
from thinnet.engine.kernels.memory import address_of, operation_at, size_of, view
from thinnet.engine.kernels.noise import mask_if_any
from thinnet.engine.kernels.panels import Place, padded, put_transposed, vector_of
from thinnet.engine.kernels.sparse_products import Row
from thinnet.engine.kernels.sums import join_leaf, join_rest, n_leaves
from thinnet.engine.kernels.tiles import VECTOR_BYTES
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Round, Work

NODE: Final = 16_384  # numbers of a node of the tree, which stay in cache while rows are added
_WORD: Final = ir.IntType(64)
INPUTS: Final = 16  # a multiple of a vector: inputs are turned by whole vectors


def cursors_size(rows: int) -> int:
    """Numbers of four bytes in which the entry that comes next fits for each row."""
    return 2 * rows + VECTOR_BYTES


@part
def inputs_together(width: int) -> int:
    """How many inputs with so many numbers each make a node."""
    return NODE // width // INPUTS * INPUTS


class Span(NamedTuple):
    """The inputs `first` to `last`, and the units from `low` on, `width` numbers of each."""

    first: int
    last: int
    low: int
    width: int


class Sums(NamedTuple):
    """Where the sums of input 0 would be, and the bytes from input to input."""

    start: int
    apart: int


@part
def sparse_gradient(
    op: Operation, low: int, high: int, now: Round, w: Work, out: Numbers, stack: Numbers
) -> None:
    """``dW = dy.T @ x`` of the places `low` to `high`, a row of `out` each."""
    if high == low:
        return
    width = padded(high - low, out.itemsize)
    together = inputs_together(width)
    cursors, nodes = divided(stack, now.rows)
    for r in range(now.rows):
        cursors[r], _ = row_limits(now, r, w)
    for first in range(0, op.n_in, together):
        span = Span(first, min(first + together, op.n_in), low, width)
        sum_of_rows(op, span, now, w, cursors, nodes)
        turn(span, high - low, op.stride_in, nodes, out)


@part
def divided(stack: Numbers, rows: int) -> tuple[Longs, Numbers]:
    """Room for the number of an entry of each row, and what lies behind, on whole vectors."""
    start = address_of(stack)
    nodes = (start + 8 * rows + 8 + VECTOR_BYTES - 1) // VECTOR_BYTES * VECTOR_BYTES
    cursors = (start + 7) // 8 * 8
    return view(cursors, np.int64(0)), view(nodes, stack.dtype.type(0))


@part
def sum_of_rows(
    op: Operation, span: Span, now: Round, w: Work, cursors: Longs, nodes: Numbers
) -> None:
    """The sums over rows of some inputs and units, an input behind the other, in `nodes`."""
    depth, block = 0, (span.last - span.first) * span.width
    for leaf in range(n_leaves(now.rows)):
        node = nodes[depth * block : (depth + 1) * block]
        node[:] = 0
        first = leaf * ROWS_OF_A_LEAF
        for r in range(first, min(first + ROWS_OF_A_LEAF, now.rows)):
            if op.lookups:
                cursors[r] = add_terms(op, span, r, cursors[r], w, node)
            else:
                cursors[r] = add_row(op, span, r, cursors[r], now, w, node)
        depth = join_leaf(leaf, depth + 1, nodes, block)
    join_rest(depth, nodes, block)


@part
def add_row(
    op: Operation, span: Span, r: int, start: int, now: Round, w: Work, node: Numbers
) -> int:
    """Add what row r has at some inputs, from the entry `start` on; the entry behind these."""
    like, size, gather = node.dtype.type(0), node.itemsize, operation_at(w.operations, 0)
    dy = w.slopes + (op.dy * w.capacity + r * op.stride_out + span.low) * size
    entries, words = entries_of(w), kept(r, gather, w)
    mask = mask_if_any(gather, now, w, like)
    drops = mask.limit != 0
    _, end = row_limits(now, r, w)
    target = address_of(node) - span.first * span.width * size
    vectors = span.width // vector_of(size)
    if not drops and vectors <= MOST_VECTORS and are_plain(entries, like):
        row = Row(entries.columns, entries.values, end)
        sums = Sums(target, span.width * size)
        return add_plain(row, start, span.last, mask.scale, dy, sums, vectors)
    i = start
    while i < end:
        column = column_at(entries, i)
        if column >= span.last:
            break
        x = value_at(entries, i, like) * mask.scale
        if not drops or bit_of(words[word_of(column)], column):
            add_multiple(x, dy, target + column * span.width * size, vectors)
        i += 1
    return i


@part
def add_terms(op: Operation, span: Span, r: int, start: int, w: Work, node: Numbers) -> int:
    """Add what row r of lookups has of some terms, from number `start` on; the one behind these."""
    size, one = node.itemsize, node.dtype.type(1)
    dy = w.slopes + (op.dy * w.capacity + r * op.stride_out + span.low) * size
    row = Row(w.terms, w.factors, r * w.most_terms + view(w.row_terms, np.int64(0))[r])
    apart, after = span.width * size, start
    target = address_of(node) - span.first * apart
    for ahead in range(0, apart, MOST_VECTORS * VECTOR_BYTES):
        vectors = min((apart - ahead) // VECTOR_BYTES, MOST_VECTORS)
        sums = Sums(target + ahead, apart)
        after = add_plain(row, start, span.last, one, dy + ahead, sums, vectors)
    return after


@part
def are_plain(entries: Entries, like: Like) -> bool:
    """Are columns int32, and values of the network's type?"""
    return not entries.longs and entries.doubles == (size_of(like) == 8)


def _plain_of(n_vectors: int) -> Callable[..., int]:
    """`add_row` of entries as they lie, for so many vectors of units, which stay in registers."""

    @intrinsic
    def add(
        typing: Kind, row: Kind, start: Kind, last: Kind, scale: Kind, dy: Kind, sums: Kind
    ) -> Intrinsic:
        signature = types.int64(row, types.int64, types.int64, scale, types.int64, sums)

        def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
            row, start, last, scale, dy, sums = arguments
            (columns, values, end), (target, apart) = (
                [builder.extract_value(each, i) for i in range(n)]
                for each, n in ((row, 3), (sums, 2))
            )
            size = 4 if isinstance(scale.type, ir.FloatType) else 8
            vector = ir.VectorType(scale.type, VECTOR_BYTES // size)

            def at(address: Value, kind: Type, ahead: Value) -> Value:
                return builder.inttoptr(builder.add(address, ahead), kind.as_pointer())

            steps = [_WORD(VECTOR_BYTES * v) for v in range(n_vectors)]
            slopes = [builder.load(at(dy, vector, step), align=8) for step in steps]
            before = builder.block
            names = "entry", "column", "term", "end"
            entry, column, term, done = (builder.append_basic_block(name) for name in names)
            builder.branch(entry)
            builder.position_at_end(entry)
            i = builder.phi(_WORD)
            i.add_incoming(start, before)
            builder.cbranch(builder.icmp_signed("<", i, end), column, done)
            builder.position_at_end(column)
            number = builder.load(at(columns, ir.IntType(32), builder.mul(i, _WORD(4))), align=1)
            number = builder.sext(number, _WORD)
            builder.cbranch(builder.icmp_signed("<", number, last), term, done)
            builder.position_at_end(term)
            value = builder.load(at(values, scale.type, builder.mul(i, _WORD(size))), align=1)
            everywhere = in_all_lanes(builder, builder.fmul(value, scale), vector)
            own = builder.add(target, builder.mul(number, apart))
            for step, slope in zip(steps, slopes, strict=True):
                pointer = at(own, vector, step)
                new = fused(builder, everywhere, slope, builder.load(pointer, align=8))
                builder.store(new, pointer, align=8)
            i.add_incoming(builder.add(i, _WORD(1)), term)
            builder.branch(entry)
            builder.position_at_end(done)
            return i

        return signature, code

    return add


MOST_VECTORS: Final = 4
_one, _two, _three, _four = (_plain_of(n) for n in range(1, MOST_VECTORS + 1))


@part
def add_plain(
    row: Row, start: int, last: int, scale: Number, dy: Address, sums: Sums, vectors: int
) -> int:
    """Add the entries from `start` on, up to that of column `last`; the entry behind these."""
    if vectors == 1:
        return _one(row, start, last, scale, dy, sums)
    if vectors == 2:
        return _two(row, start, last, scale, dy, sums)
    if vectors == 3:
        return _three(row, start, last, scale, dy, sums)
    return _four(row, start, last, scale, dy, sums)


@intrinsic
def add_multiple(typing: Kind, x: Kind, source: Kind, target: Kind, vectors: Kind) -> Intrinsic:
    """``target = x * source + target`` of some vectors at addresses."""
    signature = types.void(x, types.int64, types.int64, types.int64)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        x, source, target, vectors = arguments
        size = 4 if isinstance(x.type, ir.FloatType) else 8
        vector = ir.VectorType(x.type, VECTOR_BYTES // size)
        everywhere = in_all_lanes(builder, x, vector)
        with cgutils.for_range(builder, vectors) as loop:
            ahead = builder.mul(loop.index, loop.index.type(VECTOR_BYTES))
            numbers, place = (
                builder.inttoptr(builder.add(start, ahead), vector.as_pointer())
                for start in (source, target)
            )
            old = builder.load(place, align=size)
            new = fused(builder, everywhere, builder.load(numbers, align=size), old)
            builder.store(new, place, align=size)
        return context.get_dummy_value()

    return signature, code


@part
def turn(span: Span, units: int, stride: int, sums: Numbers, out: Numbers) -> None:
    """The sums, an input in a row, to the rows of units; what rows are filled up with is lost."""
    lanes, width, n = vector_of(out.itemsize), span.width, span.last - span.first
    whole, size = units // lanes * lanes, out.itemsize
    for i in range(0, n, lanes):
        place = address_of(out) + (span.first + i) * size
        start: Address = address_of(sums) + i * width * size
        put_transposed(start, width, whole, Place(place, stride), out.dtype.type(0))
    for unit in range(whole, units):
        for i in range(n):
            out[unit * stride + span.first + i] = sums[i * width + unit]
