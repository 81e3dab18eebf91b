"""The control word of a thread's floating-point unit, read and written by compiled functions."""

from __future__ import annotations

from typing import Final

from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet.engine.aliases import Arguments, Builder, Context, Signature, Value
from thinnet.engine.compile import intrinsic, kernel
from thinnet.engine.features import architecture
from thinnet.engine.instructions import called

ON_ARM: Final = architecture() == "arm"
# Bits that say how numbers are rounded, and what happens to subnormal ones.
X86: Final = 1 << 15 | 3 << 13 | 1 << 6  # MXCSR: FTZ, RC, DAZ
ARM: Final = 1 << 24 | 3 << 22 | 1 << 19  # FPCR: FZ, RMode, FZ16
NOT_STANDARD: Final = ARM if ON_ARM else X86


@intrinsic
def _control_word(typing):  # type: ignore[no-untyped-def]
    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        if ON_ARM:
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
        if ON_ARM:
            called(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), arguments[0])
            return context.get_dummy_value()
        place = cgutils.alloca_once(builder, ir.IntType(32))
        builder.store(builder.trunc(arguments[0], ir.IntType(32)), place)
        raw = builder.bitcast(place, ir.IntType(8).as_pointer())
        called(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), raw)
        return context.get_dummy_value()

    return types.void(types.int64), code


@kernel
def read() -> int:
    return _control_word()


@kernel
def write(word: int) -> None:
    _set_control_word(word)
