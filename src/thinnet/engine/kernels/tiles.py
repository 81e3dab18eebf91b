"""Matrix products of our own: a tile of sums stays in registers while its terms run.

A *vector* is 64 bytes of numbers, a *panel* up to `VECTORS` of them side by side with one row for
each term, 64 bytes aligned and padded with zeros.  Each sum is one chain of fused multiply-adds in
ascending order of its terms, so neither the tile's shape nor the processor touches a bit
(docs/arithmetic.md).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Context,
    Like,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, in_all_lanes, prefetch
from thinnet.engine.linking import part
from thinnet.engine.shapes import Shape, chosen
from thinnet.engine.target import target

VECTOR_BYTES: Final = 64
# What becomes of the sums s of a tile c.
STORE, ADD_TO_ZERO, ADD = range(3)  # c = s, c = 0 + s, c = c + s

_WORD: Final = ir.IntType(64)


SHAPE: Final = chosen()
VECTORS: Final = SHAPE.vectors
FETCHED: Final = 2  # terms of the next panel with each row: 256 with 128 rows
LONG: Final = 64  # terms from which fetching pays
# Lines of wide panels, which lie side by side, are fetched by AMD's processors themselves.
FETCHES: Final = VECTORS == 1 or not target().name.startswith("znver")


class _Tile:
    """Emits the code of one tile of `rows` by `vectors`."""

    def __init__(self, builder: Builder, real: Type, rows: int, vectors: int) -> None:
        self.builder, self.real, self.rows, self.vectors = builder, real, rows, vectors
        size = 4 if isinstance(real, ir.FloatType) else 8
        self.vector = ir.VectorType(real, VECTOR_BYTES // size)

    def load(self, address: Value, kind: Type) -> Value:
        pointer = self.builder.inttoptr(address, kind.as_pointer())
        return self.builder.load(pointer, align=8 if kind is self.vector else None)

    def sums(self, a: Arguments, b: Arguments, n: Value) -> list[list[Value]]:
        """The chains over n >= 1 terms, in registers."""
        (a, a_row, a_term), (b, b_term, _) = a, b
        builder, zero = self.builder, ir.Constant(self.vector, None)
        starts = [builder.add(a, builder.mul(a_row, _WORD(i))) for i in range(self.rows)]
        before = builder.block
        loop, done = builder.append_basic_block("term"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, ahead, row = (builder.phi(_WORD) for _ in range(3))
        sums = [[builder.phi(self.vector) for _ in range(self.vectors)] for _ in starts]
        new = self._term(starts, ahead, row, sums)
        after = builder.add(k, _WORD(1))
        moved = builder.add(ahead, a_term), builder.add(row, b_term)
        carried = [(k, _WORD(0), after), (ahead, _WORD(0), moved[0]), (row, b, moved[1])]
        carried += [
            (old, zero, value)
            for olds, values in zip(sums, new, strict=True)
            for old, value in zip(olds, values, strict=True)
        ]
        for phi, first, later in carried:
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", after, n), loop, done)
        builder.position_at_end(done)
        return new

    def _term(
        self, starts: Arguments, ahead: Value, row: Value, sums: list[list[Value]]
    ) -> list[list[Value]]:
        builder = self.builder
        places = [builder.add(row, _WORD(VECTOR_BYTES * j)) for j in range(self.vectors)]
        panel = [self.load(place, self.vector) for place in places]
        new = []
        for start, olds in zip(starts, sums, strict=True):
            number = self.load(builder.add(start, ahead), self.real)
            all_of_it = in_all_lanes(builder, number, self.vector)
            pairs = zip(panel, olds, strict=True)
            new.append([fused(builder, all_of_it, each, old) for each, old in pairs])
        return new

    def fetch(self, panel: Value, term: Value, c: Value, c_row: Value) -> None:
        """Have the place of this tile and some terms of a panel brought to the second cache."""
        builder = self.builder
        rows = [builder.add(c, builder.mul(c_row, _WORD(i))) for i in range(self.rows)]
        terms = range(FETCHED * self.rows)
        rows += [builder.add(panel, builder.mul(term, _WORD(i))) for i in terms]
        for row in rows:
            for j in range(self.vectors):
                prefetch(builder, builder.add(row, _WORD(VECTOR_BYTES * j)))

    def put(self, sums: list[list[Value]], c: Value, c_row: Value, mode: Value) -> None:
        """Store the sums, or add them to what is there or to zero."""
        builder = self.builder
        for condition, put in (
            (builder.icmp_signed("==", mode, mode.type(STORE)), self._stored),
            (builder.icmp_signed("==", mode, mode.type(ADD_TO_ZERO)), self._added_to_zero),
            (builder.icmp_signed("==", mode, mode.type(ADD)), self._added),
        ):
            with builder.if_then(condition):
                for i, row in enumerate(sums):
                    start = builder.add(c, builder.mul(c_row, _WORD(i)))
                    for j, values in enumerate(row):
                        place = builder.add(start, _WORD(VECTOR_BYTES * j))
                        pointer = builder.inttoptr(place, self.vector.as_pointer())
                        builder.store(put(pointer, values), pointer, align=8)

    def _stored(self, pointer: Value, values: Value) -> Value:
        return values

    def _added_to_zero(self, pointer: Value, values: Value) -> Value:
        return self.builder.fadd(ir.Constant(self.vector, None), values)

    def _added(self, pointer: Value, values: Value) -> Value:
        return self.builder.fadd(self.builder.load(pointer, align=8), values)


class Strided(NamedTuple):
    """Numbers at an address, and the bytes from row to row and from term to term."""

    start: int
    row: int
    term: int


class Panel(NamedTuple):
    """A panel's address, the bytes from term to term, and the address of what is read next.

    That is fetched meanwhile, and need not exist.
    """

    start: int
    term: int
    then: int


def sweep_of(shape: Shape, vectors: int) -> Any:
    """A function that computes all rows of a panel of so many vectors, in tiles of this shape."""

    @intrinsic
    def sweep(typing, a, b, c, rows, n, mode, like):  # type: ignore[no-untyped-def]
        signature = types.void(a, b, c, types.int64, types.int64, types.int64, like)

        def code(
            context: Context, builder: Builder, signature: Signature, arguments: Arguments
        ) -> Value:
            a, b, c, rows, n, mode, _ = arguments
            a, b, c = ([builder.extract_value(each, i) for i in range(3)] for each in (a, b, c))
            real = context.get_value_type(like)
            place = cgutils.alloca_once_value(builder, _WORD(0))
            for size in shape.rows:
                names = "fits", "tile", "out"
                fits, body, out = (builder.append_basic_block(name) for name in names)
                builder.branch(fits)
                builder.position_at_end(fits)
                first = builder.load(place)
                after = builder.add(first, _WORD(size))
                taken = builder.icmp_signed("<=", after, rows)
                if size == shape.rows[0] and shape.halved:
                    left = builder.icmp_signed("!=", builder.sub(rows, first), _WORD(shape.halved))
                    taken = builder.and_(taken, left)
                builder.cbranch(taken, body, out)
                builder.position_at_end(body)
                tile = _Tile(builder, real, size, vectors)
                start = builder.add(a[0], builder.mul(first, a[1]))
                out_row = builder.add(c[0], builder.mul(first, c[1]))
                if FETCHES:
                    ahead = builder.mul(builder.mul(first, _WORD(FETCHED)), b[1])
                    with builder.if_then(builder.icmp_signed(">=", n, _WORD(LONG))):
                        tile.fetch(builder.add(b[2], ahead), b[1], out_row, c[1])
                sums = tile.sums([start, *a[1:]], b, n)
                tile.put(sums, out_row, c[1], mode)
                builder.store(after, place)
                builder.branch(fits)
                builder.position_at_end(out)
            return context.get_dummy_value()

        return signature, code

    return sweep


_one, _two, _three = (sweep_of(SHAPE, vectors) for vectors in (1, 2, 3))


@part
def panel_product(
    a: Strided, b: Panel, c: Strided, rows: int, vectors: int, n: int, mode: int, like: Like
) -> None:
    """``c = a @ b`` of `rows` rows and a panel of `vectors` vectors, over n >= 1 terms."""
    if vectors == 1:
        _one(a, b, c, rows, n, mode, like)
    elif vectors == 2:
        _two(a, b, c, rows, n, mode, like)
    else:
        _three(a, b, c, rows, n, mode, like)
