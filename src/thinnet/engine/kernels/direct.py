"""Products of few rows or few units, with weights as they stand in theta, turned in registers.

For a row or two that is faster than to lay the weights down as panels first; and of few units a
panel would be padding for the most part.  The bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Address,
    Arguments,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Like,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, in_all_lanes, masked_load
from thinnet.engine.kernels.memory import size_of
from thinnet.engine.kernels.panels import exchanged, vector_of
from thinnet.engine.kernels.presence import TERMS_OF_A_BLOCK
from thinnet.engine.kernels.tiles import VECTOR_BYTES, Strided
from thinnet.engine.linking import part

_WORD = ir.IntType(64)
FEW_UNITS: Final = 4


class Lines(NamedTuple):
    """Rows of numbers that are multiplied: an address, the bytes from one to the next, how many."""

    start: int
    step: int
    n: int


@part
def row_product(x: Address, weights: Lines, n_in: int, y: Address, like: Like) -> None:
    """``y = W @ x``, a vector of units at a time."""
    size = size_of(like)
    lanes, one = vector_of(size), Lines(x, 0, 1)
    for first in range(0, weights.n, lanes):
        start = weights.start + first * weights.step
        units = Lines(start, weights.step, min(lanes, weights.n - first))
        _one(units, one, n_in, Strided(y + first * size, size, 0), like)


@part
def narrow_product(x: Lines, weights: Lines, n_in: int, y: Strided, like: Like) -> None:
    """``y = x @ W.T`` of up to `FEW_UNITS` units, a vector of rows at a time."""
    lanes = vector_of(size_of(like))
    for first in range(0, x.n, lanes):
        rows = Lines(x.start + first * x.step, x.step, min(lanes, x.n - first))
        out = Strided(y.start + first * y.row, y.row, y.term)
        if weights.n == 1:
            _one(rows, weights, n_in, out, like)
        elif weights.n == 2:
            _two(rows, weights, n_in, out, like)
        elif weights.n == 3:
            _three(rows, weights, n_in, out, like)
        else:
            _four(rows, weights, n_in, out, like)


def _turned(n_others: int) -> Callable[..., None]:
    """Sums of a vector of lines with so many others, over n terms in blocks."""

    @intrinsic
    def turned(
        typing: Kind, lines: Kind, others: Kind, n: Kind, out: Kind, like: Kind
    ) -> Intrinsic:
        signature = types.void(lines, others, types.int64, out, like)

        def code(
            context: Context, builder: Builder, signature: Signature, arguments: Arguments
        ) -> Value:
            lines, others, n, out, _ = arguments
            lines, others, out = (_fields(builder, each) for each in (lines, others, out))
            square = _Square(builder, context.get_value_type(like), lines)
            square.others = [
                builder.add(others[0], builder.mul(others[1], _WORD(u))) for u in range(n_others)
            ]
            zero = ir.Constant(square.vector, None)
            blocks, totals = (
                [cgutils.alloca_once_value(builder, zero) for _ in range(n_others)]
                for _ in range(2)
            )
            whole = builder.sdiv(n, _WORD(square.n))
            with cgutils.for_range(builder, whole) as loop:
                begin = builder.mul(loop.index, _WORD(square.n))
                square.add(begin, None, blocks)
                after = builder.srem(builder.add(begin, _WORD(square.n)), _WORD(TERMS_OF_A_BLOCK))
                with builder.if_then(builder.icmp_signed("==", after, _WORD(0))):
                    _close(builder, blocks, totals)
            begin = builder.mul(whole, _WORD(square.n))
            rest = builder.sub(n, begin)
            with builder.if_then(builder.icmp_signed(">", rest, _WORD(0))):
                square.add(begin, rest, blocks)
            _close(builder, blocks, totals)
            for u, total in enumerate(totals):
                start = builder.add(out[0], builder.mul(out[2], _WORD(u)))
                square.put(builder.load(total), start, out[1], lines[2])
            return context.get_dummy_value()

        return signature, code

    return turned


def _fields(builder: Builder, record: Value) -> list[Value]:
    return [builder.extract_value(record, i) for i in range(3)]


def _close(builder: Builder, blocks: list[Value], totals: list[Value]) -> None:
    """The sums of blocks enter the totals; the next blocks begin at 0."""
    for block, total in zip(blocks, totals, strict=True):
        builder.store(builder.fadd(builder.load(total), builder.load(block)), total)
        builder.store(ir.Constant(block.type.pointee, None), block)


class _Square:
    """Emits the code of as many terms as a vector has numbers."""

    def __init__(self, builder: Builder, real: Type, lines: list[Value]) -> None:
        self.builder = builder
        self.size = 4 if isinstance(real, ir.FloatType) else 8
        self.n = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(real, self.n)
        self.others: list[Value] = []
        start, step, count = lines
        last = builder.sub(count, _WORD(1))
        self.lines = []
        for i in range(self.n):  # what is not there is read from the last line, and not used
            there = builder.icmp_signed("<", _WORD(i), count)
            ahead = builder.mul(builder.select(there, _WORD(i), last), step)
            self.lines.append(builder.add(start, ahead))

    def add(self, begin: Value, rest: Value | None, sums: list[Value]) -> None:
        """Add the terms from `begin` on: a square of them, or the `rest` that is left."""
        builder = self.builder
        ahead = builder.mul(begin, _WORD(self.size))
        columns = [self._load(builder.add(line, ahead), rest) for line in self.lines]
        step = self.n // 2
        while step:
            columns, step = exchanged(builder, columns, step), step // 2
        for other, place in zip(self.others, sums, strict=True):
            numbers, total = self._load(builder.add(other, ahead), rest), builder.load(place)
            for k, column in enumerate(columns):
                number = builder.extract_element(numbers, ir.IntType(32)(k))
                all_of_it = in_all_lanes(builder, number, self.vector)
                total = fused(builder, all_of_it, column, total)
            builder.store(total, place)

    def put(self, sums: Value, start: Value, step: Value, count: Value) -> None:
        """Store those of the lines that are there, `step` bytes apart."""
        builder = self.builder
        for i in range(self.n):
            with builder.if_then(builder.icmp_signed("<", _WORD(i), count)):
                place = builder.add(start, builder.mul(step, _WORD(i)))
                pointer = builder.inttoptr(place, self.vector.element.as_pointer())
                builder.store(builder.extract_element(sums, ir.IntType(32)(i)), pointer)

    def _load(self, address: Value, rest: Value | None) -> Value:
        """A vector, or its first numbers with zeros behind."""
        builder = self.builder
        if rest is None:
            pointer = builder.inttoptr(address, self.vector.as_pointer())
            return builder.load(pointer, align=self.size)
        numbers = ir.Constant(ir.VectorType(_WORD, self.n), list(range(self.n)))
        there = builder.icmp_signed("<", numbers, in_all_lanes(builder, rest, numbers.type))
        return masked_load(builder, self.vector, address, there, self.size)


_one, _two, _three, _four = (_turned(n) for n in range(1, FEW_UNITS + 1))
