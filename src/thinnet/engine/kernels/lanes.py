"""Sixteen values at once, where the compiler does not find the vectors by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import (
    Arguments,
    Builder,
    Bytes,
    Context,
    Intrinsic,
    Kind,
    Lanes,
    Numbers,
    Signature,
    Type,
    Value,
)
from thinnet.engine.compile import intrinsic
from thinnet.engine.instructions import called, in_all_lanes, masked, masked_load, prefetch
from thinnet.engine.linking import part
from thinnet.engine.target import has

LANES: Final = 16
LINE_BYTES: Final = 64  # of a line of the caches
FEW: Final = 4  # numbers of a row that are added sooner one by one than in lanes
_WORD, _INDEX, _BIT = ir.IntType(64), ir.IntType(32), ir.IntType(1)
_MASK: Final = ir.VectorType(_BIT, LANES)
EVERY: Final = np.uint16(2**LANES - 1)
EXPANDS: Final = has("avx512f")  # Are there instructions that spread and close up numbers?


@intrinsic
def add_lanes(typing: Kind, target: Kind, source: Kind, there: Kind, like: Kind) -> Intrinsic:
    """``target[i] += source[i]`` for the up to 16 lanes of `there`; addresses of one type."""
    signature = types.void(types.uintp, types.uintp, types.uint16, like)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        target, source, there, _ = arguments
        vector, size = ir.VectorType(context.get_value_type(like), LANES), like.bitwidth // 8
        touched, zeros = builder.bitcast(there, _MASK), ir.Constant(vector, [0.0] * LANES)
        x = masked(builder, "load", vector, target, touched, size, zeros)
        y = masked(builder, "load", vector, source, touched, size, zeros)
        masked(builder, "store", vector, target, touched, size, builder.fadd(x, y))
        return context.get_dummy_value()

    return signature, code


@intrinsic
def copy_lanes(typing: Kind, source: Kind, there: Kind, target: Kind, like: Kind) -> Intrinsic:
    """``target[i] = source[i]`` for the up to 16 lanes of `there`; addresses of one type."""
    signature = types.void(types.uintp, types.uint16, types.uintp, like)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        source, there, target, _ = arguments
        vector, size = ir.VectorType(context.get_value_type(like), LANES), like.bitwidth // 8
        touched, zeros = builder.bitcast(there, _MASK), ir.Constant(vector, [0.0] * LANES)
        values = masked(builder, "load", vector, source, touched, size, zeros)
        masked(builder, "store", vector, target, touched, size, values)
        return context.get_dummy_value()

    return signature, code


@intrinsic
def fetch_line(typing: Kind, address: Kind) -> Intrinsic:
    """Have the line at an address brought to the second cache, as it is read soon."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        prefetch(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.uintp), code


def _by_presence(move: Callable[..., None]) -> Any:
    @intrinsic
    def lanes(
        typing: Kind, source: Kind, present: Kind, there: Kind, out: Kind, like: Kind
    ) -> Intrinsic:
        """`move` numbers by the bytes of `present`, for the up to 16 lanes of `there`.

        All are addresses.  Returns how many are present.  A register at a time: the compiler goes
        wrong with vectors that it has to divide.
        """
        signature = types.int64(types.uintp, types.uintp, types.uint16, types.uintp, like)

        def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
            source, present, there, out, _ = arguments
            size = like.bitwidth // 8
            lanes, total = 64 // size, _WORD(0)
            vector = ir.VectorType(context.get_value_type(like), lanes)
            bits, mask = ir.IntType(lanes), ir.VectorType(_BIT, lanes)
            for first in range(0, LANES, lanes):
                touched = builder.trunc(builder.lshr(there, there.type(first)), bits)
                touched = builder.bitcast(touched, mask)
                kept = _set_bytes(builder, builder.add(present, _WORD(first)), lanes)
                kept = builder.and_(kept, touched)
                n = builder.zext(builder.ctpop(builder.bitcast(kept, bits)), _WORD)
                fixed, moved = _WORD(first * size), builder.mul(total, _WORD(size))
                move(builder, vector, (source, out), (fixed, moved), (touched, kept), n)
                total = builder.add(total, n)
            return total

        return signature, code

    return lanes


def _set_bytes(builder: Builder, address: Value, lanes: int) -> Value:
    """Which of the bytes at an address are not 0."""
    bytes_ = ir.VectorType(ir.IntType(8), lanes)
    pointer = builder.inttoptr(address, ir.IntType(8 * lanes).as_pointer())
    found = builder.bitcast(builder.load(pointer, align=1), bytes_)
    return builder.icmp_unsigned("!=", found, bytes_([0] * lanes))


def _spread(
    builder: Builder, vector: Type, places: Arguments, ahead: Arguments, masks: Arguments, n: Value
) -> None:
    """The next n numbers of the source to the lanes that are present, 0 to the others."""
    (source, out), (fixed, moved), (touched, kept) = places, ahead, masks
    size, zeros = 64 // vector.count, vector([0.0] * vector.count)
    pointer = builder.inttoptr(builder.add(source, moved), vector.element.as_pointer())
    name = f"llvm.masked.expandload.v{vector.count}f{8 * size}"
    apart = called(builder, name, vector, pointer, kept, zeros)
    masked(builder, "store", vector, builder.add(out, fixed), touched, size, apart)


def _close_up(
    builder: Builder, vector: Type, places: Arguments, ahead: Arguments, masks: Arguments, n: Value
) -> None:
    """The n lanes that are present, one behind the other."""
    (source, out), (fixed, moved), (touched, kept) = places, ahead, masks
    size, zeros = 64 // vector.count, vector([0.0] * vector.count)
    values = masked_load(builder, vector, builder.add(source, fixed), touched, size)
    name = f"llvm.experimental.vector.compress.v{vector.count}f{8 * size}"
    close = called(builder, name, vector, values, kept, zeros)
    one = ir.IntType(32)(1)
    first = builder.sub(builder.shl(one, builder.trunc(n, one.type)), one)
    lanes = builder.bitcast(builder.trunc(first, ir.IntType(vector.count)), touched.type)
    masked(builder, "store", vector, builder.add(out, moved), lanes, size, close)


_expand_lanes, _compress_lanes = _by_presence(_spread), _by_presence(_close_up)


@part
def expand(source: Numbers, present: Bytes, out: Numbers) -> None:
    """The numbers of `source` at those places of `out` that are present; zeros elsewhere.

    Up to 15 bytes more of `present` are looked at.
    """
    if EXPANDS:
        like, size, n, done = out.dtype.type(0), out.itemsize, out.size, np.int64(0)
        start, target = np.uint64(source.ctypes.data), np.uint64(out.ctypes.data)
        bytes_ = np.uint64(present.ctypes.data)
        for i in range(0, n, LANES):
            there, ahead = EVERY if i + LANES <= n else tail(n), np.uint64(i)
            place = start + np.uint64(done * size)
            done += _expand_lanes(
                place, bytes_ + ahead, there, target + ahead * np.uint64(size), like
            )
    else:
        done = np.int64(0)
        for i in range(out.size):
            out[i] = source[done] if present[i] else out.dtype.type(0)
            done += np.int64(present[i])


@part
def compress(source: Numbers, present: Bytes, out: Numbers) -> None:
    """Those numbers of `source` that are present, one behind the other; for AVX-512 alone.

    Up to 15 bytes more of `present` are looked at.
    """
    like, size, n, done = out.dtype.type(0), out.itemsize, source.size, np.int64(0)
    start, target = np.uint64(source.ctypes.data), np.uint64(out.ctypes.data)
    bytes_ = np.uint64(present.ctypes.data)
    for i in range(0, n, LANES):
        there, ahead = EVERY if i + LANES <= n else tail(n), np.uint64(i)
        place = target + np.uint64(done * size)
        done += _compress_lanes(start + ahead * np.uint64(size), bytes_ + ahead, there, place, like)


def _drop(adds: bool, rectifies: bool) -> Callable[..., None]:
    @intrinsic
    def drop(
        typing: Kind, x: Kind, bias: Kind, bits: Kind, there: Kind, scale: Kind, out: Kind
    ) -> Intrinsic:
        """``out[i] = f(x[i] + bias[i]) * scale`` where bit i of the 16 `bits` is set, 0 elsewhere.

        f is ReLU (a NaN stays one) or nothing; `x`, `bias` and `out` are addresses of values of the
        type of `scale`, of which only the lanes of `there` are touched.  The bits become the
        vector's own mask, which the compiler does not do with tests of single bits (measured: half
        the time in float32, a quarter in float64).
        """
        places = [types.uintp, types.uintp, types.uint16, types.uint16, scale, types.uintp]
        signature = types.void(*places)

        def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
            x, bias, bits, there, factor, out = arguments
            vector, size = ir.VectorType(context.get_value_type(scale), LANES), scale.bitwidth // 8
            touched, zeros = builder.bitcast(there, _MASK), ir.Constant(vector, [0.0] * LANES)
            y = masked(builder, "load", vector, x, touched, size, zeros)
            if adds:
                y = builder.fadd(y, masked(builder, "load", vector, bias, touched, size, zeros))
            if rectifies:
                y = builder.select(builder.fcmp_ordered("<=", y, zeros), zeros, y)
            y = builder.fmul(y, in_all_lanes(builder, factor, vector))
            y = builder.select(builder.bitcast(bits, _MASK), y, zeros)
            masked(builder, "store", vector, out, touched, size, y)
            return context.get_dummy_value()

        return signature, code

    return drop


drop_lanes = _drop(adds=False, rectifies=False)
add_and_drop_lanes = _drop(adds=True, rectifies=False)
add_rectify_and_drop_lanes = _drop(adds=True, rectifies=True)


@part
def tail(n: int) -> Lanes:
    """The lanes of the last, incomplete vector of n numbers."""
    return np.uint16((1 << (n % LANES)) - 1)


@part
def add_to_rows(rows: Numbers, n_rows: int, width: int, other: Numbers, n: int) -> None:
    """Add the n numbers of `other` to each row, of which `width` numbers are stored.

    The compiler leaves most of a short row to a slow loop.
    """
    if n <= FEW:
        for r in range(n_rows):
            for i in range(n):
                rows[r * width + i] += other[i]
        return
    like, size = rows.dtype.type(0), rows.itemsize
    target, source = np.uint64(rows.ctypes.data), np.uint64(other.ctypes.data)
    whole, rest = n // LANES * LANES, tail(n)
    for r in range(n_rows):
        row = target + np.uint64(r * width * size)
        for i in range(0, whole, LANES):
            add_lanes(row + np.uint64(i * size), source + np.uint64(i * size), EVERY, like)
        if rest:
            ahead = np.uint64(whole * size)
            add_lanes(row + ahead, source + ahead, rest, like)


@intrinsic
def _sum_lanes(
    typing: Kind, rows: Kind, n_rows: Kind, stride: Kind, there: Kind, out: Kind, like: Kind
) -> Intrinsic:
    """The sum of up to 16 neighbouring columns, in registers; `stride` in bytes."""
    signature = types.void(types.uintp, types.int64, types.uintp, types.uint16, types.uintp, like)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        rows, n_rows, stride, there, out, _ = arguments
        vector, size = ir.VectorType(context.get_value_type(like), LANES), like.bitwidth // 8
        touched, zeros = builder.bitcast(there, _MASK), ir.Constant(vector, [0.0] * LANES)
        total = cgutils.alloca_once_value(builder, zeros)
        with cgutils.for_range(builder, n_rows) as loop:
            place = builder.add(rows, builder.mul(loop.index, stride))
            row = masked(builder, "load", vector, place, touched, size, zeros)
            builder.store(builder.fadd(builder.load(total), row), total)
        masked(builder, "store", vector, out, touched, size, builder.load(total))
        return context.get_dummy_value()

    return signature, code


@part
def sum_rows(rows: Numbers, n_rows: int, width: int, out: Numbers) -> None:
    """``out = sum of rows``, one after the other, of which `width` numbers are stored."""
    like, size = rows.dtype.type(0), rows.itemsize
    source, target = np.uint64(rows.ctypes.data), np.uint64(out.ctypes.data)
    stride, n = np.uint64(width * size), out.size
    for i in range(0, n, LANES):
        there, ahead = EVERY if i + LANES <= n else tail(n), np.uint64(i * size)
        _sum_lanes(source + ahead, n_rows, stride, there, target + ahead, like)
