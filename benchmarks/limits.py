"""What all systems are held to: instructions up to AVX2, and so many cores.

Variables and affinity pass on to the processes that a benchmark starts, before they import a thing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from llvmlite.binding import get_host_cpu_features

# Intel's words, NumPy's and glibc's for what comes after AVX2.
BEYOND = ("AVX512", "X86_V4", "AVX10", "AMX")
AVX2 = {
    "NUMBA_CPU_NAME": "haswell",  # thinnet
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch, and the two libraries of its products
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",  # JAX
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy and scikit-learn
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW",  # copies of memory
}
TOPOLOGY = Path("/sys/devices/system/cpu")

Avx2 = Annotated[bool, typer.Option("--avx2", help="Hold every system to AVX2.")]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Cores for every system, by affinity; else all.")
]


def hold(avx2: bool = False, threads: int | None = None) -> dict[str, str]:
    """Hold all processes that are started from here on; the variables that were set for it.

    Raises
    ------
    typer.BadParameter
        If this machine has no AVX2, or not so many cores, or can't hold a process to some.
    """
    if threads is not None:
        _hold_to_cores(threads)
    variables = _variables_for_avx2() if avx2 else {}
    os.environ |= variables
    return variables


def _variables_for_avx2() -> dict[str, str]:
    if not dict(get_host_cpu_features()).get("avx2"):
        raise typer.BadParameter("--avx2 must be asked for on a processor that has AVX2")
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    beyond = " ".join(name for name in found if name.startswith(BEYOND))
    flags = " ".join(filter(None, (os.environ.get("XLA_FLAGS"), AVX2["XLA_FLAGS"])))
    return AVX2 | {"XLA_FLAGS": flags} | ({"NPY_DISABLE_CPU_FEATURES": beyond} if beyond else {})


def _hold_to_cores(threads: int) -> None:
    if not hasattr(os, "sched_setaffinity"):
        raise typer.BadParameter("--threads must be left out where nothing holds to cores")
    there = os.sched_getaffinity(0)
    if not 1 <= threads <= len(there):
        allowed = f"an integer in [1, {len(there)}], the cores that there are"
        raise typer.BadParameter(f"--threads must be {allowed}, got {threads}")
    os.sched_setaffinity(0, spread(there)[:threads])


def spread(cores: Iterable[int], siblings: Callable[[int], str] | None = None) -> list[int]:
    """Logical cores, the first of each physical core before the second of any."""
    siblings = siblings or _siblings
    seen: dict[str, int] = {}
    ranks = {}
    for core in sorted(cores):
        name = siblings(core)
        ranks[core] = seen[name] = seen.get(name, -1) + 1
    return sorted(ranks, key=lambda core: (ranks[core], core))


def _siblings(core: int) -> str:
    """The logical cores of the same physical one; just itself where nothing is known."""
    try:
        return (TOPOLOGY / f"cpu{core}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(core)
