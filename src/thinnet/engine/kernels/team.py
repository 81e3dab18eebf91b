"""What the members of a team need of each other: tickets, and a word when all tasks are done.

Nobody waits for a member, only for tasks that somebody has begun: one that comes late, because
another library's thread still spins on its core, takes what is left when it comes.
"""

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

SPINS: Final = 4_000  # looks at a word before the processor is offered to others
TICKET, DONE, SHARED_SIZE = 0, 16, 32  # places in `shared`, on cache lines of their own
PLACE_BITS: Final = 32  # a ticket is a place and, in its lower bits, the number of a task there
ONE: Final = np.int64(1)
_ORDER: Final = "seq_cst"


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
def next_ticket(shared: Address) -> int:
    """The place where the team works, and the number of a task there that nobody else has."""
    return fetch_add(shared, TICKET, ONE)


@part
def place_of(ticket: int) -> int:
    return ticket >> PLACE_BITS


@part
def task_of(ticket: int) -> int:
    return ticket & ((1 << PLACE_BITS) - 1)


@part
def was_last(shared: Address, n_tasks: int) -> bool:
    """Note that a task is done; was it the last of its place to be?"""
    return fetch_add(shared, DONE, ONE) == n_tasks - 1


@part
def move_to(shared: Address, place: int) -> None:
    """From here on tickets are for `place`; only who was last at the one before may say so."""
    store(shared, DONE, 0)
    store(shared, TICKET, place << PLACE_BITS)


@part
def wait_behind(shared: Address, place: int) -> None:
    """Until the tasks that others have begun at `place` are done."""
    spins = 0
    while fetch(shared, TICKET) >> PLACE_BITS == place:
        spins += 1
        if spins > SPINS:
            offer_processor()
