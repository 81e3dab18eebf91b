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
    warm_up: int = WARM_UP  # calls of `work` before any is timed


System = Callable[[Any], Prepared]


class Timing(NamedTuple):
    """Quartiles over the rounds: of the seconds for each unit, or of ratios."""

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
        return self.ratios(name, ours).median

    def ratios(self, name: str, ours: str = "thinnet") -> Timing:
        """The quartiles of the rounds' ratios."""
        each = np.divide(self.seconds[name], self.seconds[ours])
        return Timing(*map(float, np.quantile(each, (0.25, 0.5, 0.75))))

    def systems(self) -> dict[str, dict[str, Any]]:
        """What files keep of each."""
        return {
            name: {
                "seconds": self.timing(name)._asdict(),
                "ratio": self.ratio(name),
                "ratios": self.ratios(name)._asdict(),
                "check": None if math.isnan(check) else check,
            }
            for name, check in self.checks.items()
        }


def _serve(make: System, problem: Any, pipe: Connection) -> None:
    try:
        prepared = make(problem)
        for _ in range(prepared.warm_up):
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

    They get ready side by side; none is timed before the last is asleep.  A first round, in which
    each finds how many calls fill its turn, is not counted.  Their checks may lie `agree` apart.
    """
    context = multiprocessing.get_context("spawn")
    pipes, processes, checks = {}, [], {}
    for name, make in systems.items():
        pipes[name], theirs = context.Pipe()
        process = context.Process(target=_serve, args=(make, problem, theirs), daemon=True)
        process.start()
        theirs.close()  # so that a process that is killed is noticed
        processes.append(process)
    for name, pipe in pipes.items():
        checks[name] = _answer(pipe, f"{name} failed on {problem}")
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


def _answer(pipe: Connection, failure: str) -> float:
    try:
        answer = pipe.recv()
    except EOFError as error:
        raise RuntimeError(failure) from error
    if isinstance(answer, BaseException):
        raise RuntimeError(failure) from answer
    return float(answer)


def _check_agreement(checks: Mapping[str, float], agree: float) -> None:
    known = {name: value for name, value in checks.items() if not math.isnan(value)}
    if known and max(known.values()) - min(known.values()) > agree:
        raise RuntimeError(f"the systems did not compute the same: {known}")
