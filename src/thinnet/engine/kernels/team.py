"""What the members of a team need of each other: tickets, and a barrier made of atomics."""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
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
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.linking import part

SPINS: Final = 4_000  # looks at the barrier before the processor is offered to others
ARRIVED, GENERATION, FIRST_TICKET = 0, 16, 32  # places in `shared`, on cache lines of their own
ONE: Final = np.int64(1)
_ORDER: Final = "seq_cst"


def shared_size(n_stages: int) -> int:
    """How many int64 the team of a program with so many stages shares."""
    return FIRST_TICKET + n_stages


def _place(builder: Builder, address: Value, i: Value) -> Value:
    start = builder.inttoptr(address, ir.IntType(64).as_pointer())
    return builder.gep(start, [i])


@intrinsic
def fetch_add(typing: Kind, address: Kind, i: Kind, amount: Kind) -> Intrinsic:
    """Add to the int64 number i at `address` at once for all threads; what stood there before."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        place = _place(builder, *arguments[:2])
        return builder.atomic_rmw("add", place, arguments[2], _ORDER)

    return types.int64(types.int64, types.int64, types.int64), code


@intrinsic
def fetch(typing: Kind, address: Kind, i: Kind) -> Intrinsic:
    """The int64 number i at `address`, as it is now for all threads."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        return builder.load_atomic(_place(builder, *arguments), _ORDER, 8)

    return types.int64(types.int64, types.int64), code


@intrinsic
def store(typing: Kind, address: Kind, i: Kind, value: Kind) -> Intrinsic:
    """Set the int64 number i at `address`, for all threads."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        builder.store_atomic(arguments[2], _place(builder, *arguments[:2]), _ORDER, 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


@intrinsic
def offer_processor(typing: Kind) -> Intrinsic:
    """Let another thread run, if one waits."""
    symbol = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        kind = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(builder.module, kind, symbol)
        return builder.call(function, [])

    return types.int32(), code


@part
def next_task(shared: Address, stage: int) -> int:
    """The number of a task of this stage that nobody else has."""
    return fetch_add(shared, FIRST_TICKET + stage, ONE)


@part
def meet(shared: Address, size: int, stage: int) -> None:
    """Wait until all `size` members are here; the tickets of `stage` are then new."""
    generation = fetch(shared, GENERATION)
    if fetch_add(shared, ARRIVED, ONE) == size - 1:
        store(shared, FIRST_TICKET + stage, 0)
        store(shared, ARRIVED, 0)
        fetch_add(shared, GENERATION, ONE)
        return
    spins = 0
    while fetch(shared, GENERATION) == generation:
        spins += 1
        if spins > SPINS:
            offer_processor()
