"""Fair timing: one process for each system, woken in turn while the others sleep.

A system is a function of a problem that returns what is to be timed.  It is made inside its own
process, so that no library's threads, caches or allocator meet another's.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

WARM_UP = 3
TURN = 0.1  # seconds that a system works when it is woken, so that its caches are its own again
AGREE = 1e-3  # how far apart the losses of two systems may lie that computed the same


@dataclass
class Prepared:
    """What is timed: `work` does so many `units` (steps, elements, rows).

    `check` is a number that all systems must agree on, such as a loss after some steps.
    """

    work: Callable[[], Any]
    units: float = 1.0
    check: float = math.nan


System = Callable[[Any], Prepared]


class Timing(NamedTuple):
    """Seconds for each unit: lower quartile, median, upper quartile over the rounds."""

    low: float
    median: float
    high: float


@dataclass
class Comparison:
    seconds: dict[str, list[float]]  # for each unit, of every system in every round
    checks: dict[str, float]

    def timing(self, name: str) -> Timing:
        return Timing(*map(float, np.quantile(self.seconds[name], (0.25, 0.5, 0.75))))

    def ratio(self, name: str, ours: str = "thinnet") -> float:
        """How many times `ours` is as fast as `name`: the median over the rounds' ratios."""
        return float(np.median(np.divide(self.seconds[name], self.seconds[ours])))


def _serve(make: System, problem: Any, pipe: Connection) -> None:
    try:
        prepared = make(problem)
        for _ in range(WARM_UP):
            prepared.work()
    except BaseException as error:
        pipe.send(error)
        raise
    pipe.send(prepared.check)
    calls = 1
    while pipe.recv():
        start = time.perf_counter()
        for _ in range(calls):
            prepared.work()
        each = (time.perf_counter() - start) / calls
        pipe.send(each / prepared.units)
        calls = max(1, math.ceil(TURN / each))


def compare(
    systems: Mapping[str, System], problem: Any, rounds: int = 9, agree: float = AGREE
) -> Comparison:
    """Time every system `rounds` times, one after the other in each round.

    A first round, in which each finds how many calls fill its turn, is not counted.  Their
    checks may lie `agree` apart.
    """
    context = multiprocessing.get_context("spawn")
    pipes, processes, checks = {}, [], {}
    for name, make in systems.items():
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(make, problem, theirs), daemon=True)
        process.start()
        answer = ours.recv()
        if isinstance(answer, BaseException):
            raise RuntimeError(f"{name} failed on {problem}") from answer
        pipes[name], checks[name] = ours, answer
        processes.append(process)
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(1 + rounds):
        for name, pipe in pipes.items():
            pipe.send(True)
            seconds[name].append(pipe.recv())
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(False)
        process.join()
    _check_agreement(checks, agree)
    return Comparison({name: times[1:] for name, times in seconds.items()}, checks)


def _check_agreement(checks: Mapping[str, float], agree: float) -> None:
    known = {name: value for name, value in checks.items() if not math.isnan(value)}
    if known and max(known.values()) - min(known.values()) > agree:
        raise RuntimeError(f"the systems did not compute the same: {known}")
