"""The floating-point mode of a thread: round to nearest, subnormal numbers kept.

A library that somebody else has loaded may have switched a thread to flushing them to zero.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import Arguments, Builder, Context, Signature, Value
from thinnet.engine.compile import intrinsic, kernel
from thinnet.engine.instructions import called

# Bits of the control word: how numbers are rounded, and what happens to subnormal ones.
X86: Final = 1 << 15 | 3 << 13 | 1 << 6  # MXCSR: FTZ, RC, DAZ
ARM: Final = 1 << 24 | 3 << 22 | 1 << 19  # FPCR: FZ, RMode, FZ16
IS_ARM: Final = platform.machine().lower() in ("aarch64", "arm64")
NOT_STANDARD: Final = ARM if IS_ARM else X86


@intrinsic
def _control_word(typing):  # type: ignore[no-untyped-def]
    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        if IS_ARM:
            return called(builder, "llvm.aarch64.get.fpcr", ir.IntType(64))
        place = cgutils.alloca_once(builder, ir.IntType(32))
        raw = builder.bitcast(place, ir.IntType(8).as_pointer())
        called(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), raw)
        return builder.zext(builder.load(place), ir.IntType(64))

    return types.int64(), code


@intrinsic
def _set_control_word(typing, word):  # type: ignore[no-untyped-def]
    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        if IS_ARM:
            called(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), arguments[0])
            return context.get_dummy_value()
        place = cgutils.alloca_once(builder, ir.IntType(32))
        builder.store(builder.trunc(arguments[0], ir.IntType(32)), place)
        raw = builder.bitcast(place, ir.IntType(8).as_pointer())
        called(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), raw)
        return context.get_dummy_value()

    return types.void(types.int64), code


@kernel
def _read() -> int:
    return _control_word()


@kernel
def _write(word: int) -> None:
    _set_control_word(word)


def is_standard() -> bool:
    """Is the calling thread in that mode?  Found out in a tenth of the time of `standard_mode`."""
    return not _read() & NOT_STANDARD


@contextmanager
def standard_mode() -> Iterator[None]:
    """Within it the calling thread rounds to nearest and keeps subnormal numbers.

    The mode is set by functions of their own: in the one that computes, the compiler might move
    operations past it.
    """
    word = _read()
    if not word & NOT_STANDARD:
        yield
        return
    _write(word & ~NOT_STANDARD)
    try:
        yield
    finally:
        _write(word)
