"""How many threads compiled code may use, and a team that runs one function on them.

Numba's own layers are not used: one kills forked children, one aborts the process when two
threads call it.  A team lives for one call, so nothing is left to spin or to be forked.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thinnet import checks

CGROUP = Path("/sys/fs/cgroup/cpu.max")  # version 2: "quota period" in microseconds, or "max"


def n_threads() -> int:
    """$THINNET_NUM_THREADS, else $OMP_NUM_THREADS (which joblib sets in its workers), else cores.

    Raises
    ------
    ValueError
        If $THINNET_NUM_THREADS is not an integer from 1 on.
    """
    asked = os.environ.get("THINNET_NUM_THREADS")
    if asked is not None:
        checks.must(asked.isdigit() and int(asked) > 0, "THINNET_NUM_THREADS", ">= 1", asked)
        return int(asked)
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(first) if first.isdigit() and int(first) > 0 else cores()


def cores() -> int:
    """The cores this process may use: its affinity, and its control group's share of time."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _quota()))


def _quota() -> int:
    try:
        quota, period = CGROUP.read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max"
        return 2**31


def run_team(size: int, function: Callable[..., Any], *arguments: Any) -> None:
    """Call ``function(me, size, *arguments)`` for me = 0 to size - 1, each on a thread.

    The calling thread is member 0.  The first exception is raised when all have ended.
    """
    if size == 1:
        function(0, 1, *arguments)
        return
    errors: list[BaseException] = []

    def member(me: int) -> None:
        try:
            function(me, size, *arguments)
        except BaseException as error:
            errors.append(error)

    others = [threading.Thread(target=member, args=(me,), daemon=True) for me in range(1, size)]
    for thread in others:
        thread.start()
    member(0)
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
