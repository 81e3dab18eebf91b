"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from thinnet.engine.control_groups import OWN, ROOT, folders


def cores() -> int:
    """The cores this process may use: its affinity, and its control groups' share of time."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, quota())))


@cache  # reading a file takes as long as dropping 100,000 elements
def quota(root: Path = ROOT, own: Path = OWN) -> float:
    """The cores' time that control groups leave, of either version, this one and its parents."""
    return min(map(_quota_of, (root, *folders("cpu", root, own))))


def _quota_of(folder: Path) -> float:
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with suppress(OSError, ValueError):  # no such file, or "max"
            words = " ".join((folder / file).read_text("utf-8") for file in files).split()
            time, period = map(int, words)
            return time / period if time > 0 and period > 0 else math.inf
    return math.inf
