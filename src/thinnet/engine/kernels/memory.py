"""Compiled code's view of its memory: arrays and records at addresses.

All that one call of the driver works on stands in one record of `WORK`, which says where.
A pointer to it is all that functions pass on; tuples of arrays would be copied at each call, and
arrays that know their owner would pass its reference counter from cache to cache.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

from thinnet.engine.aliases import (
    Address,
    Arguments,
    Body,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Like,
    Number,
    Numbers,
    Reals,
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic, overload
from thinnet.engine.linking import part
from thinnet.engine.records import Governor, Instruction, Operation, Round, Stage, Task, layout

LONG: Final = 2**40  # no array is as long; whoever asks for a part knows what is there


R = TypeVar("R")
S = TypeVar("S", bound=np.generic)


class View(Protocol):
    """The numbers of the type of `like` from an address on."""

    @typing.overload
    def __call__(self, address: Address, like: S, /) -> NDArray[S]: ...

    @typing.overload
    def __call__(self, address: Address, like: float, /) -> Reals: ...


@intrinsic
def _view(typing: Kind, address: Kind, like: Kind) -> Intrinsic:
    kind = types.Array(like, 1, "C")

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        array = context.make_array(kind)(context, builder)
        size = context.get_abi_sizeof(context.get_data_type(like))
        whole = context.get_value_type(types.intp)
        populate_array(
            array,
            data=builder.inttoptr(arguments[0], array.data.type),
            shape=[ir.Constant(whole, LONG)],
            strides=[ir.Constant(whole, size)],
            itemsize=ir.Constant(whole, size),
            meminfo=None,
        )
        return array._getvalue()

    return kind(types.int64, like), code


view: View = _view


def cast(value: float | Number, like: Like) -> Number:
    """`value` in the type of `like`."""
    raise NotImplementedError


@overload(cast)
def _cast(value: Kind, like: Kind) -> Body:
    kind = like

    def code(value: float | Number, like: Like) -> Number:
        return kind(value)

    return code


@part
def size_of(like: Like) -> int:
    """Bytes of a number of the type of `like`."""
    return view(0, like).itemsize


@part
def address_of(values: Numbers) -> Address:
    return int(np.int64(values.ctypes.data))


def _row_of(record: type[R]) -> Callable[[Address, int], R]:
    """A function that gives record i of a table at an address."""
    kind, size = from_dtype(layout(record)), layout(record).itemsize

    @intrinsic
    def row(typing: Kind, address: Kind, i: Kind) -> Intrinsic:
        def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
            start, i = arguments
            ahead = builder.mul(i, ir.Constant(i.type, size))
            return builder.inttoptr(builder.add(start, ahead), context.get_value_type(kind))

        return kind(types.int64, types.int64), code

    return row


operation_at = _row_of(Operation)
stage_at = _row_of(Stage)
instruction_at = _row_of(Instruction)
task_at = _row_of(Task)
governor_at = _row_of(Governor)
round_at = _row_of(Round)
