"""What the processor that code is compiled for can do."""

from __future__ import annotations

from functools import cache

import llvmlite.binding as llvm
import numba


@cache
def features() -> frozenset[str]:
    """Names of LLVM's: those of the compiler's target, which may be held to less than the host."""
    held_to = getattr(numba.config, "CPU_FEATURES", None)
    if held_to is not None:
        flags = str(held_to).split(",")
        return frozenset(flag[1:] for flag in flags if flag.startswith("+"))
    return frozenset(name for name, there in llvm.get_host_cpu_features().items() if there)


def fuses() -> bool:
    """Has the target fused multiply-add of vectors?"""
    return has("fma") or has("neon")


def has(name: str) -> bool:
    return name in features()
