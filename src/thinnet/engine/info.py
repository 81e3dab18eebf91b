"""What compiled code finds on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import llvmlite.binding as llvm

from thinnet import arithmetic
from thinnet.engine.caching import kept
from thinnet.engine.shapes import chosen
from thinnet.engine.target import obstacle_to_networks, target
from thinnet.engine.threads import n_threads

DTYPES = ("float32", "float64")


def info() -> Mapping[str, str]:
    """Processor, arithmetic, tiles, threads, types and cache, each by its name."""
    return {
        "processor": _processor(),
        "arithmetic": f"version {arithmetic.VERSION}",
        "tiles": f"{chosen()} sums of float32",
        "threads": str(n_threads()),
        "dtypes": ", ".join(DTYPES),
        "compiled by": _compiler(),
        "cache folder": str(kept()),
    }


def _processor() -> str:
    host, held_to = llvm.get_host_cpu_name(), target().name
    return host if held_to == host else f"{host}, held to {held_to}"


def _compiler() -> str:
    reason = obstacle_to_networks()
    return f"nothing: {reason}" if reason else f"Numba {version('numba')}"
