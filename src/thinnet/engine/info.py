"""What compiled code finds on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import llvmlite.binding as llvm

from thinnet import arithmetic
from thinnet.engine.caching import kept
from thinnet.engine.kernels.tiles import SHAPE, VECTOR_BYTES
from thinnet.engine.threads import n_threads

DTYPES = ("float32", "float64")


def info() -> Mapping[str, str]:
    """Processor, arithmetic, tiles, threads, types and cache, each by its name."""
    columns = SHAPE.vectors * VECTOR_BYTES // 4
    return {
        "processor": llvm.get_host_cpu_name(),
        "arithmetic": f"version {arithmetic.VERSION}",
        "tiles": f"{SHAPE.rows[0]} x {columns} sums of float32",
        "threads": str(n_threads()),
        "dtypes": ", ".join(DTYPES),
        "compiled by": f"Numba {version('numba')}",
        "cache folder": str(kept()),
    }
