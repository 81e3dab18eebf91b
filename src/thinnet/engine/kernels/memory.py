"""Compiled code's view of its memory: arrays and records at addresses.

All that one call of the driver works on stands in one record of `WORK`, which says where.
A pointer to it is all that functions pass on; tuples of arrays would be copied at each call, and
arrays that know their owner would pass its reference counter from cache to cache.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.np.arrayobj import populate_array

from thinnet.engine import records
from thinnet.engine.compile import intrinsic, overload
from thinnet.engine.linking import part

LONG: Final = 2**40  # no array is as long; whoever asks for a part knows what is there


@intrinsic
def view(typing, address, like):  # type: ignore[no-untyped-def]
    """The numbers of the type of `like` from `address` on."""
    kind = types.Array(like, 1, "C")

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
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


def cast(value: Any, like: Any) -> Any:
    """`value` in the type of `like`."""
    raise NotImplementedError


@overload(cast)
def _cast(value: Any, like: Any) -> Any:
    kind = like

    def code(value: Any, like: Any) -> Any:
        return kind(value)

    return code


@part
def size_of(like: Any) -> Any:
    """Bytes of a number of the type of `like`."""
    return view(0, like).itemsize


@part
def address_of(values: Any) -> Any:
    return np.int64(values.ctypes.data)


def _row_of(dtype: np.dtype) -> Any:
    """A function that gives row i of the table of `dtype` at an address."""
    kind, size = from_dtype(dtype), dtype.itemsize

    @intrinsic
    def row(typing, address, i):  # type: ignore[no-untyped-def]
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, i = arguments
            ahead = builder.mul(i, ir.Constant(i.type, size))
            return builder.inttoptr(builder.add(start, ahead), context.get_value_type(kind))

        return kind(types.int64, types.int64), code

    return row


operation_at = _row_of(records.OPERATION)
stage_at = _row_of(records.STAGE)
instruction_at = _row_of(records.INSTRUCTION)
task_at = _row_of(records.TASK)
governor_at = _row_of(records.GOVERNOR)
round_at = _row_of(records.ROUND)
