"""What code is compiled for: the compiler's target, never the host.

Numba compiles for the host, or for what NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say instead.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import llvmlite.binding as llvm
import numba
from numba.core import codegen

from thinnet import checks
from thinnet.engine.features import KNOWN, Target, architecture, features_of, of_host
from thinnet.engine.recognised import is_recognised

config: Any = numba.config  # whose settings are not known to type checkers
FLAG: Final = re.compile(r"[+-][a-z0-9][a-z0-9._-]*")
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Features that a compiler makes use of unasked; others of a processor's name matter to nobody.
USED: Final = "sse", "ssse", "avx", "fma", "f16c", "bmi", "lzcnt", "popcnt", "movbe", "xop", "tbm"


def target() -> Target:
    """What Numba compiles for now.

    Raises
    ------
    ValueError
        If a variable names what LLVM doesn't know, or what the host lacks.
    """
    name = llvm.get_host_cpu_name() if config.CPU_NAME is None else config.CPU_NAME
    flags = codegen.get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    found = Target(llvm.get_process_triple(), name, flags)
    if (config.CPU_NAME, config.CPU_FEATURES) != (None, None):
        _check(found)
    return found


def obstacle() -> str:
    """The reason why no kernel can be compiled here; "" if they can."""
    target()  # refused here, before a compiler is made for it
    if config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set"
    known = architecture() in KNOWN.values()
    return "" if known else f"kernels are for x86-64 and ARMv8 processors, not for {architecture()}"


def obstacle_to_networks() -> str:
    """The reason why compiled code can't run networks here; "" if it can."""
    return obstacle() or ("" if fuses() else "this processor has no fused multiply-add")


def fuses() -> bool:
    """Has the target fused multiply-add of vectors?"""
    return has("fma") or has("neon")


def has(name: str) -> bool:
    return name in features_of(target())


@cache
def _check(wanted: Target) -> None:
    flags = [flag for flag in wanted.flags.split(",") if flag]
    _check_name(wanted.name)
    for flag in flags:
        _check_flag(flag)
    lacking = [name for name in sorted(features_of(wanted)) if of_host().get(name) is False]
    _check_that_none_is_asked(lacking, flags)
    _check_that_none_is_implied([name for name in lacking if name.startswith(USED)], wanted.name)


def _check_name(name: str) -> None:
    plain = name in ("", "generic", llvm.get_host_cpu_name())
    known = plain or bool(NAME.fullmatch(name) and is_recognised(name))
    checks.must(known, "NUMBA_CPU_NAME", "the name of a processor that LLVM knows", name)


def _check_flag(flag: str) -> None:
    allowed = "features that LLVM knows, + or - before each and commas between them"
    fits = FLAG.fullmatch(flag)
    known = fits and (flag[1:] in of_host() or is_recognised("generic", flag))
    checks.must(bool(known), "NUMBA_CPU_FEATURES", allowed, flag)


def _check_that_none_is_asked(lacking: list[str], flags: list[str]) -> None:
    for flag in (f"+{name}" for name in lacking):
        checks.must(flag not in flags, "NUMBA_CPU_FEATURES", "features of this processor", flag)


def _check_that_none_is_implied(lacking: list[str], name: str) -> None:
    without = ",".join(f"-{feature}" for feature in lacking)
    allowed = f"a processor whose features this one has (or NUMBA_CPU_FEATURES={without})"
    checks.must(not lacking, "NUMBA_CPU_NAME", allowed, name)
