"""Calls of the driver: how much work at once, on how many threads, and a word to who waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Final, NamedTuple

import numpy as np
from rich.console import Console

from thinnet.console.progress import someone_looks
from thinnet.engine import opcodes as code
from thinnet.engine.caching import kept
from thinnet.engine.driver import drive
from thinnet.engine.lookups import most_terms
from thinnet.engine.lowered import Lowered
from thinnet.engine.records import Operation
from thinnet.engine.threads import n_threads, run_team
from thinnet.engine.workspace import Workspace

CHUNK_SECONDS: Final = 0.15  # of one compiled call, so that Ctrl-C and progress stay live
# Nanoseconds of one thread's work from which a team pays.  In each round its members meet, which
# costs a few us.  For each call they are woken, up to 400 us late on a virtual machine; nobody
# waits for them, but numbers go from core to core for the little that is left.
WORTH_MEETING: Final = 50_000
WORTH_WAKING: Final = 400_000
PER_PRODUCT, PER_NUMBER = 0.01, 0.5  # nanoseconds, roughly

_compiling = threading.Lock()
_ready: set[np.dtype] = set()  # types that this process has called the driver with


class Team(NamedTuple):
    """How many threads a round is worth at most, and about how many nanoseconds it takes one."""

    size: int
    cost: float

    def of_call(self, n_rounds: int) -> int:
        """How many threads so many rounds in one call are worth; no number depends on it."""
        return self.size if n_rounds * self.cost >= WORTH_WAKING else 1


ALONE: Final = Team(1, 0.0)


def team_for(lowered: Lowered, rows: int, n_tasks: int, passes: int) -> Team:
    """The team for rounds of so many rows, in so many tasks.

    `passes` counts products with each weight: one forward, three with the way back.
    """
    operations = lowered.operations
    products = sum(_terms(op, lowered) * op.n_out for op in operations if op.kind == code.DENSE)
    numbers = sum(op.n_out for op in operations)
    cost = rows * passes * (products * PER_PRODUCT + numbers * PER_NUMBER)
    return Team(min(n_threads(), n_tasks) if cost >= WORTH_MEETING else 1, cost)


def _terms(op: Operation, lowered: Lowered) -> int:
    return most_terms(lowered.encodings) if op.lookups else op.n_in


def call(team: Team, n_rounds: int, workspace: Workspace, like: np.floating) -> int:
    """Do the rounds; the number of the first that went wrong, from 1, or 0."""
    shared, size = workspace["shared"], team.of_call(n_rounds)
    shared.fill(0)
    with nullcontext() if like.dtype in _ready else _first_call(like.dtype):
        run_team(size, drive, n_rounds, workspace.record, like)
    return int(shared[-1])


@contextmanager
def _first_call(dtype: np.dtype) -> Iterator[None]:
    """For one thread at a time; where someone looks, say that this call compiles, if it does."""
    folder, mark, console = kept().folder, f"compiled-{dtype}", Console(stderr=True)
    with _compiling:
        is_new = dtype not in _ready and (folder is None or not folder.has(mark))
        if is_new and someone_looks(console):
            once = "" if folder is None else ", once"
            console.print(f"thinnet compiles its kernels for {dtype}{once}: 15 to 35 seconds")
        yield
        _ready.add(dtype)
        if folder is not None:
            with suppress(OSError):
                folder.write(mark, b"")
