"""Calls of the driver: how much work at once, on how many threads, and a word to who waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import numpy as np
from rich.console import Console

from thinnet.console.progress import someone_looks
from thinnet.engine import opcodes as code
from thinnet.engine.caching import kept
from thinnet.engine.driver import drive
from thinnet.engine.lowered import Lowered
from thinnet.engine.threads import n_threads, run_team
from thinnet.engine.workspace import Workspace

CHUNK_SECONDS: Final = 0.15  # of one compiled call, so that Ctrl-C and progress stay live
# Below so many nanoseconds a round is done by one thread.  Meeting costs about 1 us, but waking a
# sleeping thread up to 400 us on a virtual machine, and a call may be no longer than an epoch.
WORTH_A_TEAM: Final = 250_000
PER_PRODUCT, PER_NUMBER = 0.01, 0.5  # nanoseconds, roughly

_ready: set[np.dtype] = set()  # types that this process has called the driver with


def team_size(lowered: Lowered, rows: int, n_tasks: int, passes: int) -> int:
    """How many threads a round is worth; what it computes does not depend on it.

    `passes` counts products with each weight: one forward, three with the way back.
    """
    operations = lowered.operations
    products = sum(op.n_in * op.n_out for op in operations if op.kind == code.DENSE)
    numbers = sum(op.n_out for op in operations)
    cost = rows * passes * (products * PER_PRODUCT + numbers * PER_NUMBER)
    return min(n_threads(), n_tasks) if cost >= WORTH_A_TEAM else 1


def call(size: int, n_rounds: int, workspace: Workspace, like: np.floating) -> int:
    """Do the rounds on `size` threads; the number of the first that went wrong, from 1, or 0."""
    shared = workspace["shared"]
    shared.fill(0)
    if like.dtype in _ready:
        run_team(size, drive, n_rounds, workspace.record, like)
    else:
        with _announced(like.dtype):
            run_team(size, drive, n_rounds, workspace.record, like)
        _ready.add(like.dtype)
    return int(shared[-1])


@contextmanager
def _announced(dtype: np.dtype) -> Iterator[None]:
    """Where someone looks, say that this call compiles, if it does."""
    folder, mark, console = kept().folder, f"compiled-{dtype}", Console(stderr=True)
    if (folder is None or not folder.has(mark)) and someone_looks(console):
        once = "" if folder is None else ", once"
        console.print(f"thinnet compiles its kernels for {dtype}{once}: 15 to 35 seconds")
    yield
    if folder is not None:
        with suppress(OSError):
            folder.write(mark, b"")
