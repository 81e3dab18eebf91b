"""A product of one row with weights as they stand in theta, which are turned in registers.

For a row or two that is faster than to lay the weights down as panels first; the bits are the same.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
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
from thinnet.engine.kernels.lanes import in_all_lanes
from thinnet.engine.kernels.memory import size_of
from thinnet.engine.kernels.panels import exchanged, vector_of
from thinnet.engine.kernels.presence import TERMS_OF_A_BLOCK
from thinnet.engine.kernels.tiles import VECTOR_BYTES
from thinnet.engine.linking import part

_WORD = ir.IntType(64)


@part
def direct_product(
    x: int, weights: int, row: int, n_in: int, y: int, n_out: int, like: Like
) -> None:
    """``y = W @ x``; addresses, and bytes from row to row of W."""
    size = size_of(like)
    lanes = vector_of(size)
    for first in range(0, n_out, lanes):
        rows = min(lanes, n_out - first)
        _turned(x, weights + first * row, row, rows, n_in, y + first * size, like)


@intrinsic
def _turned(
    typing: Kind, x: Kind, weights: Kind, row: Kind, rows: Kind, n: Kind, y: Kind, like: Kind
) -> Intrinsic:
    """A vector of sums, of whose rows of weights `rows` are there, over n terms in blocks."""
    signature = types.void(*[types.int64] * 6, like)

    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        x, weights, row, rows, n, y, _ = arguments
        square = _Square(builder, context.get_value_type(like), [weights, row, rows], x)
        block, total = (
            cgutils.alloca_once_value(builder, ir.Constant(square.vector, None)) for _ in range(2)
        )
        whole = builder.sdiv(n, _WORD(square.n))
        with cgutils.for_range(builder, whole) as loop:
            begin = builder.mul(loop.index, _WORD(square.n))
            builder.store(square.added(begin, None, builder.load(block)), block)
            after = builder.add(begin, _WORD(square.n))
            ends = builder.icmp_signed("==", builder.srem(after, _WORD(TERMS_OF_A_BLOCK)), _WORD(0))
            with builder.if_then(ends):
                _close(builder, block, total)
        begin = builder.mul(whole, _WORD(square.n))
        rest = builder.sub(n, begin)
        with builder.if_then(builder.icmp_signed(">", rest, _WORD(0))):
            builder.store(square.added(begin, rest, builder.load(block)), block)
        _close(builder, block, total)
        builder.store(builder.load(total), square.pointer(y), align=8)
        return context.get_dummy_value()

    return signature, code


def _close(builder: Builder, block: Value, total: Value) -> None:
    """A block's sums enter the total; the next block begins at 0."""
    builder.store(builder.fadd(builder.load(total), builder.load(block)), total)
    builder.store(ir.Constant(block.type.pointee, None), block)


class _Square:
    """Emits the code of as many terms as a vector has numbers."""

    def __init__(self, builder: Builder, real: Type, weights: list[Value], x: Value) -> None:
        self.builder, self.x = builder, x
        self.size = 4 if isinstance(real, ir.FloatType) else 8
        self.n = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(real, self.n)
        start, row, rows = weights
        last = builder.sub(rows, _WORD(1))
        self.rows = []
        for i in range(self.n):  # what is not there is read from the last row, and not used
            there = builder.icmp_signed("<", _WORD(i), rows)
            ahead = builder.mul(builder.select(there, _WORD(i), last), row)
            self.rows.append(builder.add(start, ahead))

    def pointer(self, address: Value) -> Value:
        return self.builder.inttoptr(address, self.vector.as_pointer())

    def added(self, begin: Value, rest: Value | None, sums: Value) -> Value:
        """The sums with the terms from `begin` on: a square of them, or the `rest` that is left."""
        builder = self.builder
        ahead = builder.mul(begin, _WORD(self.size))
        rows = [self._load(builder.add(row, ahead), rest) for row in self.rows]
        step = self.n // 2
        while step:
            rows, step = exchanged(builder, rows, step), step // 2
        x = self._load(builder.add(self.x, ahead), rest)
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.v{self.n}f{8 * self.size}"
        fma = cgutils.get_or_insert_function(builder.module, kind, name)
        for k, column in enumerate(rows):
            number = builder.extract_element(x, ir.IntType(32)(k))
            sums = builder.call(fma, [in_all_lanes(builder, number, self.vector), column, sums])
        return sums

    def _load(self, address: Value, rest: Value | None) -> Value:
        """A vector, or its first numbers with zeros behind."""
        builder = self.builder
        if rest is None:
            return builder.load(self.pointer(address), align=self.size)
        numbers = ir.Constant(ir.VectorType(_WORD, self.n), list(range(self.n)))
        bound = in_all_lanes(builder, rest, numbers.type)
        there = builder.icmp_signed("<", numbers, bound)
        zeros, align = ir.Constant(self.vector, None), ir.IntType(32)(self.size)
        kind = ir.FunctionType(
            self.vector, [self.pointer(address).type, align.type, there.type, self.vector]
        )
        name = f"llvm.masked.load.v{self.n}f{8 * self.size}.p0"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [self.pointer(address), align, there, zeros])
