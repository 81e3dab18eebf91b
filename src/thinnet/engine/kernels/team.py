"""What the members of a team need of each other: tickets, and a barrier made of atomics."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from thinnet.engine.compile import kernel

SPINS: Final = 4_000  # looks at the barrier before the processor is offered to others
ARRIVED, GENERATION, FIRST_TICKET = 0, 16, 32  # places in `shared`, on cache lines of their own
_ORDER: Final = "seq_cst"


def shared_size(n_stages: int) -> int:
    """How many int64 the team of a program with so many stages shares."""
    return FIRST_TICKET + n_stages


def _place(context: Any, builder: Any, kind: Any, values: Any, i: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, values).data, [i])


@intrinsic
def fetch_add(typing, values, i, amount):  # type: ignore[no-untyped-def]
    """Add to ``values[i]`` at once for all threads; what stood there before."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", place, arguments[2], _ORDER)

    return types.int64(values, types.int64, types.int64), code


@intrinsic
def fetch(typing, values, i):  # type: ignore[no-untyped-def]
    """``values[i]`` as it is now for all threads."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(place, _ORDER, 8)

    return types.int64(values, types.int64), code


@intrinsic
def offer_processor(typing):  # type: ignore[no-untyped-def]
    """Let another thread run, if one waits."""
    symbol = "SwitchToThread" if sys.platform == "win32" else "sched_yield"

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, symbol
        )
        return builder.call(function, [])

    return types.int32(), code


@intrinsic
def unowned(typing, values):  # type: ignore[no-untyped-def]
    """The same arrays (tuples of them) without their owners: slices count no references.

    Threads that slice one array would pass its counter from cache to cache at every slice.  The
    caller of the compiled function holds the owners.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _disowned(context, builder, values, arguments[0])

    return values(values), code


def _disowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = ir.Constant(array.meminfo.type, None)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        for i, part in enumerate(kind.types):
            inner = _disowned(context, builder, part, builder.extract_value(value, i))
            value = builder.insert_value(value, inner, i)
    return value


@kernel
def next_task(shared: Any, stage: Any) -> Any:
    """The number of a task of this stage that nobody else has."""
    return fetch_add(shared, np.int64(FIRST_TICKET + stage), np.int64(1))  # type: ignore[call-arg]


@kernel
def meet(shared: Any, size: Any, stage: Any) -> None:
    """Wait until all `size` members are here; the tickets of `stage` are then new."""
    generation = fetch(shared, np.int64(GENERATION))  # type: ignore[call-arg]
    if fetch_add(shared, np.int64(ARRIVED), np.int64(1)) == size - 1:  # type: ignore[call-arg]
        shared[FIRST_TICKET + stage] = 0
        shared[ARRIVED] = 0
        fetch_add(shared, np.int64(GENERATION), np.int64(1))  # type: ignore[call-arg]
        return
    spins = 0
    while fetch(shared, np.int64(GENERATION)) == generation:  # type: ignore[call-arg]
        spins += 1
        if spins > SPINS:
            offer_processor()  # type: ignore[call-arg]
