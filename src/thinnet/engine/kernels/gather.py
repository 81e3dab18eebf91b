"""Rows of the data, of any type and layout, as rows of the network's type.

The data stays where it is.  `source` says where: address, bytes from row to row, bytes from column
to column, and the code of the type; for sparse rows (CSR) the address and code of the values, then
those of the column numbers, with `starts` for the rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numba.extending import intrinsic

from thinnet.engine.compile import kernel

CODES: Final = {
    np.dtype(name): code
    for code, name in enumerate(("f4", "f8", "u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "b1"))
}


@intrinsic
def load(typing, address, like):  # type: ignore[no-untyped-def]
    """The number of the type of `like` that lies at `address`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], context.get_data_type(like).as_pointer())
        value = builder.load(pointer)
        value.align = 1
        return context.unpack_value(builder, like, pointer) if like == types.boolean else value

    return like(types.int64, like), code


@kernel
def _copy(address: Any, stride: Any, like: Any, size: Any, out: Any) -> None:
    if stride == size:  # so that the compiler sees neighbours
        for i in range(out.size):
            out[i] = load(address + i * size, like)  # type: ignore[call-arg]
    else:
        for i in range(out.size):
            out[i] = load(address + i * stride, like)  # type: ignore[call-arg]


@kernel
def dense_row(source: Any, row: Any, out: Any) -> None:
    address, stride, code = source[0] + row * source[1], source[2], source[3]
    if code == 0:
        _copy(address, stride, np.float32(0), 4, out)
    elif code == 1:
        _copy(address, stride, np.float64(0), 8, out)
    elif code == 2 or code == 10:
        _copy(address, stride, np.uint8(0), 1, out)
    elif code == 3:
        _copy(address, stride, np.int8(0), 1, out)
    elif code == 4:
        _copy(address, stride, np.int16(0), 2, out)
    elif code == 5:
        _copy(address, stride, np.uint16(0), 2, out)
    elif code == 6:
        _copy(address, stride, np.int32(0), 4, out)
    elif code == 7:
        _copy(address, stride, np.uint32(0), 4, out)
    elif code == 8:
        _copy(address, stride, np.int64(0), 8, out)
    else:
        _copy(address, stride, np.uint64(0), 8, out)


@kernel
def sparse_row(source: Any, starts: Any, row: Any, out: Any) -> None:
    """Zeros, and the row's values added at their columns (a column may come twice)."""
    out[:] = 0
    values, wide_values = source[0], source[3] == 1
    columns, wide_columns = source[4], source[5] == 8
    for i in range(starts[row], starts[row + 1]):
        if wide_columns:
            column = load(columns + 8 * i, np.int64(0))  # type: ignore[call-arg]
        else:
            column = np.int64(load(columns + 4 * i, np.int32(0)))  # type: ignore[call-arg]
        if wide_values:
            out[column] += out.dtype.type(load(values + 8 * i, np.float64(0)))  # type: ignore[call-arg]
        else:
            out[column] += out.dtype.type(load(values + 4 * i, np.float32(0)))  # type: ignore[call-arg]


@kernel
def data_row(source: Any, starts: Any, row: Any, out: Any) -> None:
    if starts.size:
        sparse_row(source, starts, row, out)
    else:
        dense_row(source, row, out)
