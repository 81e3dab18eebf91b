"""Fair timing: one process for each system, woken in turn while the others sleep.

A system is a function of a case that returns what is to be timed.  It is made inside its own
process, so that no library's threads, caches or allocator meet another's.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

Work = Callable[[], Any]
System = Callable[..., Work]

WARM_UP = 3
TURN = 0.05  # seconds that a system works when it is woken, so that its caches are its own again


class Timing(NamedTuple):
    """Seconds of one call: lower quartile, median, upper quartile over the rounds."""

    low: float
    median: float
    high: float


def _serve(make: System, case: Mapping[str, Any], pipe: Connection) -> None:
    try:
        work = make(**case)
        for _ in range(WARM_UP):
            work()
    except BaseException as error:
        pipe.send(error)
        raise
    pipe.send(None)
    calls = 1
    while pipe.recv():
        start = time.perf_counter()
        for _ in range(calls):
            work()
        each = (time.perf_counter() - start) / calls
        pipe.send(each)
        calls = max(1, math.ceil(TURN / each))


def compare(
    systems: Mapping[str, System], case: Mapping[str, Any], rounds: int = 9
) -> dict[str, Timing]:
    """Time every system `rounds` times, one after the other in each round.

    A first round, in which each finds how many calls fill its turn, is not counted.
    """
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for name, make in systems.items():
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(make, dict(case), theirs), daemon=True)
        process.start()
        if (error := ours.recv()) is not None:
            raise error
        pipes[name] = ours
        processes.append(process)
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(1 + rounds):
        for name, pipe in pipes.items():
            pipe.send(True)
            seconds[name].append(pipe.recv())
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(False)
        process.join()
    return {name: Timing(*np.quantile(s[1:], (0.25, 0.5, 0.75))) for name, s in seconds.items()}
