"""Calls of the driver, and a word to who waits for the first one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from rich.console import Console

from thinnet.console.progress import someone_looks
from thinnet.engine import blas
from thinnet.engine.caching import kept
from thinnet.engine.driver import drive
from thinnet.engine.tables import Work
from thinnet.engine.threads import run_team

_ready: set[np.dtype] = set()  # types that this process has called the driver with


def call(size: int, n_rounds: int, work: Work, like: np.floating) -> int:
    """Do the rounds on `size` threads; the number of the first that went wrong, from 1, or 0."""
    shared = work["shared"]
    shared[:] = 0
    blas.single_threaded()
    if like.dtype in _ready:
        run_team(size, drive, n_rounds, work.record, like)
    else:
        with _announced(like.dtype):
            run_team(size, drive, n_rounds, work.record, like)
        _ready.add(like.dtype)
    return int(shared[-1])


@contextmanager
def _announced(dtype: np.dtype) -> Iterator[None]:
    """Where someone looks, say that this call compiles, if it does."""
    folder, mark, console = kept().folder, f"compiled-{dtype}", Console(stderr=True)
    if (folder is None or not folder.has(mark)) and someone_looks(console):
        once = "" if folder is None else ", once"
        console.print(f"thinnet compiles its kernels for {dtype}{once}: about 15 seconds")
    yield
    if folder is not None:
        with suppress(OSError):
            folder.write(mark, b"")
