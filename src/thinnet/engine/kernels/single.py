"""The product of one row, with the bits that the library gives that row among others.

The library is made for many rows: for one it first packs all weights, which takes longer than the
product.  Its big kernels add the terms of an output one after the other with fused multiply-adds,
in chains of a certain length whose results are then added; a vector over sixteen outputs can do the
same, when the weights are transposed in registers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Numbers,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.kernels.lanes import LANES, in_all_lanes
from thinnet.engine.linking import part

AT_ONCE: Final = 2 * LANES  # outputs: two chains of vectors hide how long an addition takes
ROUNDED: Final = 16  # what the library makes the lengths of its last two chains a multiple of
_WHOLE, _INDEX = ir.IntType(64), ir.IntType(32)


class _Lanes:
    """Loads and shuffles of vectors of sixteen numbers."""

    def __init__(self, context: Context, builder: Builder, like: Kind) -> None:
        self.builder, self.real = builder, context.get_value_type(like)
        self.vector, self.size = ir.VectorType(self.real, LANES), like.bitwidth // 8
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.v{LANES}f{like.bitwidth}"
        self.fma = cgutils.get_or_insert_function(builder.module, kind, name)

    def at(self, address: Value, ahead: Value, kind: Type) -> Value:
        place = self.builder.add(address, ahead)
        value = self.builder.load(self.builder.inttoptr(place, kind.as_pointer()))
        value.align = self.size
        return value

    def offset(self, n: int) -> Value:
        return ir.Constant(_WHOLE, n)

    def shuffled(self, a: Value, b: Value, order: list[int]) -> Value:
        kind = ir.VectorType(_INDEX, len(order))
        return self.builder.shuffle_vector(a, b, ir.Constant(kind, order))

    def everywhere(self, value: Value) -> Value:
        return in_all_lanes(self.builder, value, self.vector)

    def gathered(self, starts: Arguments, ahead: Value) -> Value:
        column = ir.Constant(self.vector, ir.Undefined)
        for j, start in enumerate(starts):
            value = self.at(start, ahead, self.real)
            column = self.builder.insert_element(column, value, ir.Constant(_INDEX, j))
        return column

    def total(self) -> Value:
        zeros = ir.Constant(self.vector, [0.0] * LANES)
        return cgutils.alloca_once_value(self.builder, zeros)

    def add(self, total: Value, value: Value, column: Value) -> None:
        """``total += value * column``, rounded once."""
        sum_so_far = self.builder.load(total)
        self.builder.store(self.builder.call(self.fma, [value, column, sum_so_far]), total)

    def transposed(self, rows: Arguments) -> Arguments:
        """Sixteen vectors as a matrix, turned: four times the two halves are interleaved."""
        half = LANES // 2
        low = [
            i for pair in zip(range(half), range(LANES, LANES + half), strict=True) for i in pair
        ]
        high = [i + half for i in low]
        for _ in range(4):
            pairs = [(rows[i], rows[i + half]) for i in range(half)]
            rows = [self.shuffled(a, b, order) for a, b in pairs for order in (low, high)]
        return rows


@intrinsic
def _chain(typing: Kind, x: Kind, w: Kind, stride: Kind, n: Kind, like: Kind) -> Intrinsic:
    """``sum_k x[k] * w[j, k]`` of n terms, one after the other, for 32 j.

    `x` and `w` are addresses; rows of w lie `stride` bytes apart.
    """
    result = types.UniTuple(like, AT_ONCE)
    signature = result(types.uintp, types.uintp, types.uintp, types.int64, like)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        x, w, stride, n, _ = arguments
        lanes = _Lanes(context, builder, like)
        starts = [builder.add(w, builder.mul(stride, lanes.offset(j))) for j in range(AT_ONCE)]
        groups = [starts[g : g + LANES] for g in range(0, AT_ONCE, LANES)]
        totals = [lanes.total() for _ in groups]
        blocks = builder.udiv(n, lanes.offset(LANES))
        with cgutils.for_range(builder, blocks) as loop:
            ahead = builder.mul(loop.index, lanes.offset(LANES * lanes.size))
            turned = [
                lanes.transposed([lanes.at(start, ahead, lanes.vector) for start in group])
                for group in groups
            ]
            for k in range(LANES):
                further = builder.add(ahead, lanes.offset(k * lanes.size))
                value = lanes.everywhere(lanes.at(x, further, lanes.real))
                for total, columns in zip(totals, turned, strict=True):
                    lanes.add(total, value, columns[k])
        done = builder.mul(blocks, lanes.offset(LANES))
        with cgutils.for_range(builder, builder.sub(n, done)) as loop:
            ahead = builder.mul(builder.add(done, loop.index), lanes.offset(lanes.size))
            value = lanes.everywhere(lanes.at(x, ahead, lanes.real))
            for total, group in zip(totals, groups, strict=True):
                lanes.add(total, value, lanes.gathered(group, ahead))
        parts = [
            builder.extract_element(builder.load(total), ir.Constant(_INDEX, j))
            for total in totals
            for j in range(LANES)
        ]
        return context.make_tuple(builder, result, parts)

    return signature, code


@part
def chain_length(left: int, longest: int) -> int:
    """How many of the terms that are left the library's next chain has."""
    if left >= 2 * longest:
        return longest
    if left > longest:
        return (left // 2 + ROUNDED - 1) // ROUNDED * ROUNDED
    return left


@part
def row_product(x: Numbers, w: Numbers, stride: int, longest: int, out: Numbers) -> None:
    """``out = w @ x`` for at least 32 outputs; rows of w are `stride` numbers apart."""
    like, size, units = x.dtype.type(0), x.itemsize, out.size
    at_x, at_w = np.uint64(x.ctypes.data), np.uint64(w.ctypes.data)
    for place in range(0, units, AT_ONCE):
        first = min(place, units - AT_ONCE)  # some of the last may be done twice
        k = 0
        while k < x.size:
            n = chain_length(x.size - k, longest)
            start = at_w + np.uint64((first * stride + k) * size)
            sums = _chain(at_x + np.uint64(k * size), start, np.uint64(stride * size), n, like)
            for j in range(AT_ONCE):
                out[first + j] = sums[j] if k == 0 else out[first + j] + sums[j]
            k += n
