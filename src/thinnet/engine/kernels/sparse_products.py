"""The product of a first Dense layer with sparse rows as they are stored.

A term whose input is 0 is left out, so an entry is a multiply-add for each unit: a broadcast and
the vectors of its row in a panel.  Blocks are cut by the columns' numbers, so the bits are those of
dense rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types

from thinnet.engine.aliases import (
    Address,
    Arguments,
    Builder,
    Context,
    Indices,
    Intrinsic,
    Kind,
    Like,
    Numbers,
    Signature,
    Thread,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, in_all_lanes
from thinnet.engine.kernels.direct import FEW_UNITS
from thinnet.engine.kernels.entries import read_row
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.memory import address_of, operation_at, size_of, view
from thinnet.engine.kernels.panels import padded, vector_of
from thinnet.engine.kernels.presence import TERMS_OF_A_BLOCK, is_drawn, n_outputs
from thinnet.engine.kernels.rows import scratch_of
from thinnet.engine.kernels.tiles import VECTOR_BYTES, VECTORS
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Round, Work

TOGETHER: Final = max(3 // VECTORS, 1) * VECTORS  # vectors of units that an entry meets at once
_WORD: Final = ir.IntType(64)


class Row(NamedTuple):
    """The columns (int32) and values of n entries, by address."""

    columns: Address
    values: Address
    n: int


@part
def dense(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """``y = x @ W.T``, without the bias."""
    size, gather = size_of(like), operation_at(w.operations, 0)
    values = scratch_of(me, w, like)
    place = address_of(values[op.stride_in :])
    columns = view(place, np.int32(0))
    as_it_lies = w.direct or (op.n_out <= FEW_UNITS and not is_drawn(op))
    for r in range(low, high):
        n = read_row(gather, r, now, w, columns, values)
        y = w.activations + (op.y * w.capacity + r * op.stride_out) * size
        if as_it_lies:
            by_units(op, columns[:n], values[:n], w, view(y, like)[: op.n_out])
        else:
            by_panels(op, Row(place, address_of(values), n), y, w, like)


@part
def by_panels(op: Operation, row: Row, y: Address, w: Work, like: Like) -> None:
    size, n_units = size_of(like), n_outputs(op, w)
    lanes, room = vector_of(size), padded(op.n_in, size)
    n_vectors = (n_units + lanes - 1) // lanes
    for first in range(0, n_vectors, TOGETHER):
        n = min(TOGETHER, n_vectors - first)
        panel = w.panels + op.forward_panels * size + first * room * VECTOR_BYTES
        step = min(n, VECTORS) * VECTOR_BYTES
        apart, out = room * VECTORS * VECTOR_BYTES, y + first * VECTOR_BYTES
        sums_of_vectors(n, row, panel, step, apart, out, like)


def _vectors_of_units(n_vectors: int) -> Callable[..., None]:
    """The sums of one row for so many vectors of units, in blocks."""

    @intrinsic
    def vectors(
        typing: Kind, row: Kind, panel: Kind, step: Kind, apart: Kind, out: Kind, like: Kind
    ) -> Intrinsic:
        """`step` bytes from input to input of a panel, `apart` from panel to panel."""
        signature = types.void(row, *[types.int64] * 4, like)

        def code(
            context: Context, builder: Builder, signature: Signature, arguments: Arguments
        ) -> Value:
            row, panel, step, apart, out, _ = arguments
            places = [
                builder.add(
                    builder.mul(apart, _WORD(v // VECTORS)), _WORD(v % VECTORS * VECTOR_BYTES)
                )
                for v in range(n_vectors)
            ]
            columns, values, n = (builder.extract_value(row, i) for i in range(3))
            chain = _Chain(builder, context.get_value_type(like), columns, values)
            totals = chain.over(n, [builder.add(panel, place) for place in places], step)
            for v, total in enumerate(totals):
                place = builder.add(out, _WORD(v * VECTOR_BYTES))
                pointer = builder.inttoptr(place, total.type.as_pointer())
                builder.store(total, pointer, align=8)
            return context.get_dummy_value()

        return signature, code

    return vectors


class _Chain:
    """Emits the loop over a row's entries; sums and totals stay in registers."""

    def __init__(self, builder: Builder, real: Type, columns: Value, values: Value) -> None:
        self.builder, self.real, self.columns, self.values = builder, real, columns, values
        self.size = 4 if isinstance(real, ir.FloatType) else 8
        self.vector = ir.VectorType(real, VECTOR_BYTES // self.size)
        self.zero = ir.Constant(self.vector, None)

    def over(self, n: Value, panels: list[Value], step: Value) -> list[Value]:
        builder, nothing = self.builder, [self.zero] * len(panels)
        before = builder.block
        names = "entry", "close", "term", "summed", "end"
        entry, close, term, summed, end = (builder.append_basic_block(name) for name in names)
        builder.cbranch(builder.icmp_signed(">", n, _WORD(0)), entry, end)
        builder.position_at_end(entry)
        e, block = builder.phi(_WORD), builder.phi(_WORD)
        sums, totals = self._phis(panels), self._phis(panels)
        column = self._column(e)
        own_block = builder.sdiv(column, _WORD(TERMS_OF_A_BLOCK))
        builder.cbranch(builder.icmp_signed("==", own_block, block), term, close)
        builder.position_at_end(close)
        closed = self._added(totals, sums)
        builder.branch(term)
        builder.position_at_end(term)
        old = self._joined(sums, entry, nothing, close)
        now = self._joined(totals, entry, closed, close)
        new = self._term(e, old, panels, builder.mul(column, step))
        after = builder.add(e, _WORD(1))
        self._carry([e, block, *sums, *totals], before, [_WORD(0), _WORD(0), *nothing, *nothing])
        self._carry([e, block, *sums, *totals], term, [after, own_block, *new, *now])
        builder.cbranch(builder.icmp_signed("<", after, n), entry, summed)
        builder.position_at_end(summed)
        done = self._added(now, new)
        builder.branch(end)
        builder.position_at_end(end)
        return self._joined(nothing, before, done, summed)

    def _phis(self, panels: list[Value]) -> list[Value]:
        return [self.builder.phi(self.vector) for _ in panels]

    def _joined(self, a: list[Value], a_from: Value, b: list[Value], b_from: Value) -> list[Value]:
        phis = self._phis(a)
        self._carry(phis, a_from, a)
        self._carry(phis, b_from, b)
        return phis

    def _carry(self, phis: list[Value], origin: Value, values: list[Value]) -> None:
        for phi, value in zip(phis, values, strict=True):
            phi.add_incoming(value, origin)

    def _added(self, totals: list[Value], sums: list[Value]) -> list[Value]:
        return [self.builder.fadd(a, b) for a, b in zip(totals, sums, strict=True)]

    def _column(self, e: Value) -> Value:
        number = ir.IntType(32)
        place = self.builder.add(self.columns, self.builder.mul(e, _WORD(4)))
        pointer = self.builder.inttoptr(place, number.as_pointer())
        return self.builder.sext(self.builder.load(pointer), _WORD)

    def _term(self, e: Value, sums: list[Value], panels: list[Value], ahead: Value) -> list[Value]:
        builder = self.builder
        place = builder.add(self.values, builder.mul(e, _WORD(self.size)))
        value = builder.load(builder.inttoptr(place, self.real.as_pointer()))
        everywhere, new = in_all_lanes(builder, value, self.vector), []
        for panel, old in zip(panels, sums, strict=True):
            pointer = builder.inttoptr(builder.add(panel, ahead), self.vector.as_pointer())
            new.append(fused(builder, everywhere, builder.load(pointer, align=8), old))
        return new


_one, _two, _three = (_vectors_of_units(n) for n in (1, 2, 3))


@part
def sums_of_vectors(
    n: int, row: Row, panel: Address, step: int, apart: int, out: Address, like: Like
) -> None:
    """The sums of a row for one to three vectors of units."""
    if n == 1:
        _one(row, panel, step, apart, out, like)
    elif n == 2:
        _two(row, panel, step, apart, out, like)
    else:
        _three(row, panel, step, apart, out, like)


@part
def by_units(op: Operation, columns: Indices, values: Numbers, w: Work, y: Numbers) -> None:
    """With W as it stands in theta, four units at a time: one chain alone would wait for itself."""
    theta = view(w.theta, values.dtype.type(0))[op.weights :]
    n, last = op.n_in, (y.size - 1) * op.n_in
    for unit in range(0, y.size, 4):
        start = unit * n  # what is not there is read from the last unit, and not stored
        a, b = theta[start:], theta[min(start + n, last) :]
        c, d = theta[min(start + 2 * n, last) :], theta[min(start + 3 * n, last) :]
        sums = four_sums(columns, values, a, b, c, d)
        for i in range(min(4, y.size - unit)):
            y[unit + i] = sums[i]


@part
def four_sums(
    columns: Indices, values: Numbers, a: Numbers, b: Numbers, c: Numbers, d: Numbers
) -> tuple[np.floating, np.floating, np.floating, np.floating]:
    zero, block = values.dtype.type(0), 0
    total_a = total_b = total_c = total_d = zero
    sum_a = sum_b = sum_c = sum_d = zero
    for e in range(columns.size):
        k, x = columns[e], values[e]
        if k // TERMS_OF_A_BLOCK != block:
            total_a, total_b = total_a + sum_a, total_b + sum_b
            total_c, total_d = total_c + sum_c, total_d + sum_d
            sum_a = sum_b = sum_c = sum_d = zero
            block = k // TERMS_OF_A_BLOCK
        sum_a, sum_b = fma(x, a[k], sum_a), fma(x, b[k], sum_b)
        sum_c, sum_d = fma(x, c[k], sum_c), fma(x, d[k], sum_d)
    return total_a + sum_a, total_b + sum_b, total_c + sum_c, total_d + sum_d
