"""Sums along the inputs of a slot of lookups, for a vector of units, kept in a register.

Vectors lie `apart` bytes from input to input; addresses are those of the first.  `like` is a number
of the vectors' type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import fused, in_all_lanes
from thinnet.engine.kernels.tiles import VECTOR_BYTES

_WORD: Final = ir.IntType(64)


class Chain:
    """Builds code that goes through vectors, with one of them, `value`, in a register."""

    def __init__(self, context: Context, builder: Builder, like: Kind) -> None:
        number = context.get_value_type(like)
        self.builder, self.size = builder, like.bitwidth // 8
        self.kind: Type = ir.VectorType(number, VECTOR_BYTES // self.size)
        self._number = number
        self._place = cgutils.alloca_once(builder, self.kind)

    @property
    def value(self) -> Value:
        return self.builder.load(self._place)

    @value.setter
    def value(self, vector: Value) -> None:
        self.builder.store(vector, self._place)

    @property
    def zero(self) -> Value:
        return ir.Constant(self.kind, [0.0] * self.kind.count)

    def at(self, start: Value, apart: Value, k: Value) -> Value:
        """The address of vector number k."""
        return self.builder.add(start, self.builder.mul(apart, k))

    def load(self, address: Value) -> Value:
        pointer = self.builder.inttoptr(address, self.kind.as_pointer())
        return self.builder.load(pointer, align=self.size)

    def store(self, vector: Value, address: Value) -> None:
        pointer = self.builder.inttoptr(address, self.kind.as_pointer())
        self.builder.store(vector, pointer, align=self.size)

    def less(self, means: Value, k: Value) -> Value:
        """Less number k of some means, in all lanes."""
        place = self.at(means, _WORD(self.size), k)
        mean = self.builder.load(
            self.builder.inttoptr(place, self._number.as_pointer()), align=self.size
        )
        return in_all_lanes(self.builder, self.builder.fneg(mean), self.kind)

    def add(self, a: Value, b: Value) -> Value:
        return self.builder.fadd(a, b)

    def fused(self, x: Value, y: Value, z: Value) -> Value:
        return fused(self.builder, x, y, z)


def _code_of(build: Callable[..., None]) -> Callable[..., Value]:
    """What numba asks of an intrinsic, from code that goes through vectors."""

    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        build(Chain(context, builder, signature.args[-1]), *arguments[:-1])
        return context.get_dummy_value()

    return code


def _signature(addresses: int, like: Kind) -> Signature:
    """Of addresses, the bytes from input to input, the inputs, and `like`."""
    return types.void(*[types.int64] * (addresses + 2), like)


@intrinsic
def take_means_off(
    typing: Kind, means: Kind, weights: Kind, target: Kind, apart: Kind, n: Kind, like: Kind
) -> Intrinsic:
    """``target = 0 - means[0] * weights[0] - means[1] * weights[1] - ...``, each rounded once."""

    def build(
        chain: Chain, means: Value, weights: Value, target: Value, apart: Value, n: Value
    ) -> None:
        chain.value = chain.zero
        with cgutils.for_range(chain.builder, n) as loop:
            own = chain.load(chain.at(weights, apart, loop.index))
            chain.value = chain.fused(chain.less(means, loop.index), own, chain.value)
        chain.store(chain.value, target)

    return _signature(3, like), _code_of(build)


@intrinsic
def lay_sums(
    typing: Kind, weights: Kind, target: Kind, row: Kind, apart: Kind, n: Kind, like: Kind
) -> Intrinsic:
    """From the sum at `target` on: the weights of an input, and the sum with them, and so on.

    Rows of the target lie `row` bytes apart; the sum with the last input is not written.
    """

    def build(
        chain: Chain, weights: Value, target: Value, row: Value, apart: Value, n: Value
    ) -> None:
        chain.value, two = chain.load(target), _WORD(2)
        with cgutils.for_range(chain.builder, n) as loop:
            own = chain.load(chain.at(weights, apart, loop.index))
            place = chain.at(target, row, chain.builder.mul(two, loop.index))
            chain.store(chain.value, place)
            chain.store(own, chain.builder.add(place, row))
            chain.value = chain.add(chain.value, own)

    return _signature(3, like), _code_of(build)


@intrinsic
def fold_sums(
    typing: Kind, terms: Kind, sums: Kind, above: Kind, apart: Kind, n: Kind, like: Kind
) -> Intrinsic:
    """From the last input on: its own term, and those of the sums above it that it is in.

    `above` is where those of all sums go.
    """

    def build(
        chain: Chain, terms: Value, sums: Value, above: Value, apart: Value, n: Value
    ) -> None:
        chain.value, builder, one = chain.zero, chain.builder, _WORD(1)
        with cgutils.for_range(builder, n) as loop:
            k = builder.sub(builder.sub(n, one), loop.index)
            below = chain.at(terms, apart, builder.mul(_WORD(2), k))
            own = chain.load(builder.add(below, apart))
            chain.store(chain.add(chain.value, own), chain.at(sums, apart, k))
            chain.value = chain.add(chain.value, chain.load(below))
        chain.store(chain.value, above)

    return _signature(3, like), _code_of(build)


@intrinsic
def add_from_the_last(
    typing: Kind, terms: Kind, above: Kind, apart: Kind, n: Kind, like: Kind
) -> Intrinsic:
    """``above = 0 + terms[n - 1] + ... + terms[0]``, each rounded once."""

    def build(chain: Chain, terms: Value, above: Value, apart: Value, n: Value) -> None:
        chain.value, builder, one = chain.zero, chain.builder, _WORD(1)
        with cgutils.for_range(builder, n) as loop:
            k = builder.sub(builder.sub(n, one), loop.index)
            chain.value = chain.add(chain.value, chain.load(chain.at(terms, apart, k)))
        chain.store(chain.value, above)

    return _signature(2, like), _code_of(build)


@intrinsic
def subtract_multiples(
    typing: Kind, means: Kind, above: Kind, sums: Kind, apart: Kind, n: Kind, like: Kind
) -> Intrinsic:
    """``sums[k] = sums[k] - means[k] * above``, each rounded once."""

    def build(
        chain: Chain, means: Value, above: Value, sums: Value, apart: Value, n: Value
    ) -> None:
        chain.value = chain.load(above)
        with cgutils.for_range(chain.builder, n) as loop:
            place = chain.at(sums, apart, loop.index)
            less = chain.less(means, loop.index)
            chain.store(chain.fused(less, chain.value, chain.load(place)), place)

    return _signature(3, like), _code_of(build)
