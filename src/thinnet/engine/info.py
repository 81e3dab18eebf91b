"""What compiled code finds on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import llvmlite.binding as llvm

from thinnet.engine import blas
from thinnet.engine.caching import kept
from thinnet.engine.threads import n_threads

DTYPES = ("float32", "float64")


def info() -> Mapping[str, str]:
    """Processor, matrix products, threads, types and cache, each by its name."""
    found = blas.library()
    products = "NumPy's (the private library is not there)"
    if found is not None:
        products = f"OpenBLAS {version('scipy-openblas32')}, a private copy of one thread"
    return {
        "processor": llvm.get_host_cpu_name(),
        "BLAS": products,
        "core type": "" if found is None else found.core,
        "threads": str(n_threads()),
        "dtypes": ", ".join(DTYPES),
        "compiled by": f"Numba {version('numba')}",
        "cache folder": str(kept()),
    }
