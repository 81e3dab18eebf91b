"""Weights as the products read them: panels, in which what a tile needs lies in a row.

Forward the columns of a product are units and its terms inputs, so W is laid down transposed;
backward it is the other way round.  Both are written by whoever has the rows of some units in
cache, of what exists of them alone.
"""

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba import types

from thinnet.engine.aliases import Address, Arguments, Builder, Context, Like, Signature, Value
from thinnet.engine.compile import intrinsic
from thinnet.engine.kernels.memory import size_of
from thinnet.engine.kernels.tiles import VECTOR_BYTES, VECTORS
from thinnet.engine.linking import part


@part
def vector_of(size: int) -> int:
    """Numbers of a vector, of so many bytes each."""
    return VECTOR_BYTES // size


@part
def padded(n: int, size: int) -> int:
    """The numbers of the whole vectors that n numbers need."""
    lanes = vector_of(size)
    return (n + lanes - 1) // lanes * lanes


@part
def panel_width(first: int, n: int, size: int) -> int:
    """Numbers in a row of the panel that starts at column `first` of n."""
    return min(VECTORS * vector_of(size), padded(n - first, size))


@intrinsic
def _transpose(typing, source, source_row, target, target_row, like):  # type: ignore[no-untyped-def]
    """A square block, a vector wide, from rows to columns; addresses, and bytes from row to row."""
    signature = types.void(*[types.int64] * 4, like)

    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        source, source_row, target, target_row, _ = arguments
        word, n = source.type, VECTOR_BYTES * 8 // like.bitwidth
        vector = ir.VectorType(context.get_value_type(like), n)
        rows = []
        for i in range(n):
            place = builder.add(source, builder.mul(source_row, word(i)))
            pointer = builder.inttoptr(place, vector.as_pointer())
            rows.append(builder.load(pointer, align=like.bitwidth // 8))
        step = n // 2
        while step:
            rows = exchanged(builder, rows, step)
            step //= 2
        for i, row in enumerate(rows):
            place = builder.add(target, builder.mul(target_row, word(i)))
            pointer = builder.inttoptr(place, vector.as_pointer())
            builder.store(row, pointer, align=like.bitwidth // 8)
        return context.get_dummy_value()

    return signature, code


def exchanged(builder: Builder, rows: list[Value], step: int) -> list[Value]:
    """Squares of `step` by `step` numbers beside the diagonal change their places."""
    n, out = len(rows), list(rows)
    kind = ir.VectorType(ir.IntType(32), n)
    left = [k if not k & step else n + k - step for k in range(n)]
    right = [k + step if not k & step else n + k for k in range(n)]
    for i in range(n):
        if not i & step:
            pair = rows[i], rows[i + step]
            out[i] = builder.shuffle_vector(*pair, ir.Constant(kind, left))
            out[i + step] = builder.shuffle_vector(*pair, ir.Constant(kind, right))
    return out


class Place(NamedTuple):
    """An address in a panel, and the numbers from one of its rows to the next."""

    start: int
    width: int


@part
def put_transposed(rows: Address, stride: int, n_terms: int, place: Place, like: Like) -> None:
    """A vector of columns of a panel, from as many rows of `n_terms` numbers.

    Rows lie `stride` numbers apart and are readable up to whole vectors, for which the panel has
    room too.
    """
    size = size_of(like)
    apart = place.width * size
    for k in range(0, n_terms, vector_of(size)):
        _transpose(rows + k * size, stride * size, place.start + k * apart, apart, like)
