"""Sums in the orders of docs/arithmetic.md: 16 partial sums within a row, a tree over rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Context,
    Number,
    Numbers,
    Reals,
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, masked_load
from thinnet.engine.kernels.lanes import LANES, tail
from thinnet.engine.linking import part

_BITS: Final = ir.IntType(16)
_MASK: Final = ir.VectorType(ir.IntType(1), LANES)


def _within_a_row(multiplies: bool, widens: bool = False) -> Any:
    @intrinsic
    def total(typing, a, b, n, rest, like):  # type: ignore[no-untyped-def]
        """The sum of n numbers at `a`, or of their products with those at `b`; `rest`: `tail(n)`.

        One that widens adds in float64.
        """
        result = types.float64 if widens else like
        signature = result(types.uintp, types.uintp, types.int64, types.uint16, like)

        def code(
            context: Context, builder: Builder, signature: Signature, arguments: Arguments
        ) -> Value:
            a, b, n, rest, _ = arguments
            size = like.bitwidth // 8
            vector = ir.VectorType(context.get_value_type(like), LANES)
            wide = ir.VectorType(context.get_value_type(result), LANES)
            total = cgutils.alloca_once_value(builder, wide([0.0] * LANES))

            def widened(values: Value) -> Value:
                return builder.fpext(values, wide) if wide != vector else values

            def enter(ahead: Value, there: Value) -> None:
                old = builder.load(total)
                x = widened(masked_load(builder, vector, builder.add(a, ahead), there, size))
                if multiplies:
                    y = widened(masked_load(builder, vector, builder.add(b, ahead), there, size))
                    new = fused(builder, x, y, old)
                else:
                    new = builder.fadd(old, x)
                builder.store(builder.select(there, new, old), total)

            every = ir.Constant(_MASK, [1] * LANES)
            whole = builder.sdiv(n, n.type(LANES))
            with cgutils.for_range(builder, whole) as loop:
                enter(builder.mul(loop.index, n.type(LANES * size)), every)
            with builder.if_then(builder.icmp_unsigned("!=", rest, _BITS(0))):
                enter(builder.mul(whole, n.type(LANES * size)), builder.bitcast(rest, _MASK))
            return _joined(builder, builder.load(total))

        return signature, code

    return total


def _joined(builder: Builder, lanes: Value) -> Value:
    """Number j and j + 8, j + 4, j + 2, j + 1 added."""
    index, half = ir.IntType(32), lanes.type.count // 2
    while half:
        kind, nothing = ir.VectorType(index, half), ir.Constant(lanes.type, ir.Undefined)
        places = [ir.Constant(kind, [i + j for j in range(half)]) for i in (0, half)]
        low, high = (builder.shuffle_vector(lanes, nothing, place) for place in places)
        lanes, half = builder.fadd(low, high), half // 2
    return builder.extract_element(lanes, index(0))


_added, _multiplied = _within_a_row(multiplies=False), _within_a_row(multiplies=True)
_squared = _within_a_row(multiplies=True, widens=True)


@part
def lane_sum(x: Numbers) -> Number:
    """The sum of the numbers of a row."""
    start = np.uint64(x.ctypes.data)
    return _added(start, start, x.size, tail(x.size), x.dtype.type(0))


@part
def lane_dot(x: Numbers, y: Numbers) -> Number:
    """The sum of the products of two rows of the length of x."""
    a, b = np.uint64(x.ctypes.data), np.uint64(y.ctypes.data)
    return _multiplied(a, b, x.size, tail(x.size), x.dtype.type(0))


@part
def lane_squares(x: Numbers) -> float:
    """The sum of the squares of a row, in float64."""
    start = np.uint64(x.ctypes.data)
    return _squared(start, start, x.size, tail(x.size), x.dtype.type(0))


@part
def n_leaves(rows: int) -> int:
    return (rows + ROWS_OF_A_LEAF - 1) // ROWS_OF_A_LEAF


@part
def tree_sum(values: Reals) -> float:
    """The sum of one number for each row, of which none is left as it was."""
    n = n_leaves(values.size)
    for leaf in range(n):
        total = 0.0
        for r in range(leaf * ROWS_OF_A_LEAF, min((leaf + 1) * ROWS_OF_A_LEAF, values.size)):
            total += values[r]
        values[leaf] = total
    while n > 1:
        for i in range(n // 2):
            values[i] = values[2 * i] + values[2 * i + 1]
        if n % 2:
            values[n // 2] = values[n - 1]
        n = (n + 1) // 2
    return values[0]


@part
def join_leaf(leaf: int, depth: int, stack: Numbers, width: int) -> int:
    """Join leaf number `leaf`, the last of `depth` rows of `stack`; how many nodes now wait."""
    number = leaf + 1
    while number % 2 == 0:
        depth = join_last(depth, stack, width)
        number //= 2
    return depth


@part
def join_last(depth: int, stack: Numbers, width: int) -> int:
    """Add the last row of `stack` to the one before it."""
    left, right = stack[(depth - 2) * width :], stack[(depth - 1) * width :]
    for i in range(width):
        left[i] += right[i]
    return depth - 1


@part
def join_rest(depth: int, stack: Numbers, width: int) -> None:
    """What waits is joined from the right; the sum is then the first row."""
    while depth > 1:
        depth = join_last(depth, stack, width)
