"""Rows of the data, of any type and layout, as rows of the network's type.

The data stays where it is.  `source` says where: address, bytes from row to row, bytes from column
to column, and the code of the type; for sparse rows (CSR) the address and code of the values, then
the address and size of the column numbers, with `starts` for the rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import (
    Address,
    Arguments,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Like,
    Longs,
    Numbers,
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.lanes import LINE_BYTES, fetch_line
from thinnet.engine.kernels.memory import size_of, view
from thinnet.engine.linking import part
from thinnet.engine.records import Work

MOST_BYTES: Final = 8  # of a number
NAMES: Final = ("f4", "f8", "u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "b1")
CODES: Final = {np.dtype(name): code for code, name in enumerate(NAMES)}
F4, F8, U1, I1, I2, U2, I4, U4, I8, U8, B1 = range(len(NAMES))


@intrinsic
def load(typing: Kind, address: Kind, like: Kind) -> Intrinsic:
    """The number of the type of `like` that lies at `address`."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        pointer = builder.inttoptr(arguments[0], context.get_data_type(like).as_pointer())
        value = builder.load(pointer)
        value.align = 1
        return value

    return like(address, like), code


@part
def _copy(address: Address, stride: int, like: np.generic, size: int, out: Numbers) -> None:
    if stride == size:  # so that the compiler sees neighbours
        for i in range(out.size):
            out[i] = load(address + i * size, like)
    else:
        for i in range(out.size):
            out[i] = load(address + i * stride, like)


@part
def dense_row(source: Longs, row: int, out: Numbers) -> None:
    address, stride, code = source[0] + row * source[1], source[2], source[3]
    if stride == out.itemsize and code == (F4 if out.itemsize == 4 else F8):
        copy_row(np.uint64(address), out)
    elif code == F4:
        _copy(address, stride, np.float32(0), 4, out)
    elif code == F8:
        _copy(address, stride, np.float64(0), 8, out)
    elif code in (U1, B1):
        _copy(address, stride, np.uint8(0), 1, out)
    elif code == I1:
        _copy(address, stride, np.int8(0), 1, out)
    elif code == I2:
        _copy(address, stride, np.int16(0), 2, out)
    elif code == U2:
        _copy(address, stride, np.uint16(0), 2, out)
    elif code == I4:
        _copy(address, stride, np.int32(0), 4, out)
    elif code == U4:
        _copy(address, stride, np.uint32(0), 4, out)
    elif code == I8:
        _copy(address, stride, np.int64(0), 8, out)
    else:
        _copy(address, stride, np.uint64(0), 8, out)


@part
def sparse_row(source: Longs, starts: Longs, row: int, out: Numbers) -> None:
    """Zeros, and the row's values added at their columns (a column may come twice)."""
    out[:] = 0
    values, columns = source[0], source[4]
    for i in range(starts[row], starts[row + 1]):
        if source[5] == 8:
            column = load(columns + 8 * i, np.int64(0))
        else:
            column = np.int64(load(columns + 4 * i, np.int32(0)))
        if source[3] == F8:
            out[column] += out.dtype.type(load(values + 8 * i, np.float64(0)))
        else:
            out[column] += out.dtype.type(load(values + 4 * i, np.float32(0)))


@part
def fetch_row(row: int, n: int, w: Work) -> None:
    """Have n numbers of a row that is read next brought to the cache: rows come in any order."""
    source = view(w.source, np.int64(0))
    start, apart = source[0] + row * source[1], source[2]
    if not w.starts and apart <= MOST_BYTES:  # they lie side by side
        for ahead in range(0, n * apart, LINE_BYTES):
            fetch_line(np.uint64(start + ahead))


@part
def lies_as_ours(w: Work, like: Like) -> bool:
    """Are the rows dense, their numbers of the network's type and side by side?"""
    source, size = view(w.source, np.int64(0)), size_of(like)
    alike: bool = source[2] == size and source[3] == (F4 if size == 4 else F8)
    return w.starts == 0 and alike


@part
def data_row(row: int, w: Work, out: Numbers) -> None:
    source = view(w.source, np.int64(0))
    if w.starts:
        sparse_row(source, view(w.starts, np.int64(0)), row, out)
    else:
        dense_row(source, row, out)
