"""What a benchmark ran on, as its file records it.

A process of its own looks, so that it finds what the systems' processes find.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ASKED = ("processor", "arithmetic", "tiles", "threads", "compiled by")
PACKAGES = ("thinnet", "numpy", "numba", "torch", "jax", "keras", "scikit-learn")
MODULES = {"scikit-learn": "sklearn"}
# What only newer processors have, so that one is known whose model number a hypervisor replaced.
NEWER = {"amx-tile": "Sapphire Rapids or later"}


def record(options: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """Processor, versions, date, and what was asked for and set."""
    found = subprocess.run(
        [sys.executable, __file__], check=True, capture_output=True, text=True
    ).stdout
    return {**json.loads(found), "options": dict(options), "variables": dict(variables)}


def look() -> dict[str, Any]:
    import llvmlite.binding as llvm

    from thinnet.engine.info import info

    ours = info()
    return {
        **_processor(),
        "llvm": llvm.get_host_cpu_name(),
        **_core(),
        "cores": os.cpu_count(),
        **{name: ours[name] for name in ASKED},
        "instructions": _instructions(),
        "system": platform.platform(),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": _versions(),
        "held": _held(),
    }


def _processor() -> dict[str, Any]:
    """Linux's name for it, and its frequency now; elsewhere what Python knows."""
    lines: dict[str, str] = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            lines.setdefault(name.strip(), value.strip())
    model = lines.get("model name") or platform.processor() or platform.machine()
    frequency = {"MHz": round(float(lines["cpu MHz"]))} if "cpu MHz" in lines else {}
    return {"model": model, **frequency}


def _core() -> dict[str, str]:
    """What the processor is at least, where it has what LLVM's name for it lacks."""
    import llvmlite.binding as llvm

    from thinnet.engine.features import Target, features_of, of_host

    named = Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), "")
    known = features_of(named)
    found = [core for name, core in NEWER.items() if of_host().get(name) and name not in known]
    return {"core": found[-1]} if found else {}


def _instructions() -> str:
    from thinnet.engine.target import has

    names = {"avx512f": "AVX-512", "avx2": "AVX2", "neon": "NEON"}
    return next((name for feature, name in names.items() if has(feature)), platform.machine())


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            if find_spec(MODULES.get(name, name)):
                found[name] = version(name)
    return found


def _held() -> dict[str, str]:
    """Which instructions libraries say that they use, where they say it."""
    import numpy as np

    found = {"numpy": " ".join(np.show_config(mode="dicts")["SIMD Extensions"]["found"])}
    with suppress(ImportError):
        from threadpoolctl import threadpool_info

        cores = {pool.get("architecture") for pool in threadpool_info()}
        found["openblas"] = " ".join(sorted(filter(None, cores)))
    with suppress(ImportError):
        from torch.backends import cpu

        found["torch"] = cpu.get_cpu_capability()
    return found


if __name__ == "__main__":
    print(json.dumps(look()))
