"""How many threads compiled code may use, and a team that runs one function on them.

Numba's own layers are not used: one kills forked children, one aborts the process when two
threads call it.  The members of a team sleep between two calls: nothing spins.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from operator import call

from thinnet import checks
from thinnet.engine.cores import cores
from thinnet.engine.rounding_mode import is_standard, standard_mode

_limit: ContextVar[int | None] = ContextVar("thinnet threads", default=None)


@contextmanager
def limited(n: int | None) -> Iterator[None]:
    """At most `n` threads for what is called within; None sets no limit of its own.

    The calling thread rounds as it should meanwhile, in what is made of outputs too.
    """
    before = _limit.set(n if n is not None else _limit.get())
    try:
        with standard_mode():
            yield
    finally:
        _limit.reset(before)


def n_threads() -> int:
    """`limited`, else $THINNET_NUM_THREADS, else $OMP_NUM_THREADS (which joblib sets), else cores.

    Raises
    ------
    ValueError
        If $THINNET_NUM_THREADS is not an integer from 1 on.
    """
    if (limit := _limit.get()) is not None:
        return limit
    asked = os.environ.get("THINNET_NUM_THREADS")
    if asked is not None:
        checks.must(asked.isdigit() and int(asked) > 0, "THINNET_NUM_THREADS", ">= 1", asked)
        return int(asked)
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(first) if first.isdigit() and int(first) > 0 else cores()


class _Helper:
    """A thread that sleeps until it is given work, which is four times as fast as a new one."""

    def __init__(self) -> None:
        self.work: Callable[[], object] | None = None
        self.error: BaseException | None = None
        self.begin, self.ended = threading.Lock(), threading.Lock()
        self.begin.acquire()
        self.ended.acquire()
        self.thread = threading.Thread(target=self._serve, name="thinnet", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while self.begin.acquire() and self.work is not None:
            try:
                with standard_mode():
                    self.work()
            except BaseException as error:
                self.error = error
            self.work = None  # what it holds must not live on in a sleeping thread
            self.ended.release()

    def wait(self) -> BaseException | None:
        """Until the work has ended, even if interrupted: its memory must stay till then."""
        interrupt, waited = None, list[bool]()
        while not waited:
            try:  # one call of C, so that no Ctrl-C comes between the end and the note of it
                waited.extend(map(call, [self.ended.acquire]))
            except KeyboardInterrupt as error:
                interrupt = error
        found, self.error = self.error or interrupt, None
        return found

    def leave(self) -> None:
        self.begin.release()
        self.thread.join()


_idle: list[_Helper] = []  # popping and appending are safe among threads


def _dismiss() -> None:
    """Before a fork, since the child would have the helpers without their threads."""
    while _idle:
        _idle.pop().leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_dismiss)


def _hire() -> _Helper:
    try:
        return _idle.pop()
    except IndexError:
        return _Helper()


def run_team(size: int, function: Callable[..., object], *arguments: object) -> None:
    """Call ``function(me, size, *arguments)`` for me = 0 to size - 1, each on a thread.

    The calling thread is member 0.  An exception is raised when all have ended.
    """
    if is_standard():
        _run(size, function, *arguments)
        return
    with standard_mode():
        _run(size, function, *arguments)


def _run(size: int, function: Callable[..., object], *arguments: object) -> None:
    if size == 1:
        function(0, 1, *arguments)
        return
    helpers = [_hire() for _ in range(size - 1)]
    for me, helper in enumerate(helpers, start=1):
        helper.work = partial(function, me, size, *arguments)
    mine = partial(function, 0, size, *arguments)
    starts: list[Callable[[], object]] = [*(helper.begin.release for helper in helpers), mine]
    errors: list[BaseException] = []
    try:
        # One call of C: between its parts no Ctrl-C can come, after which some would wait for ever.
        deque(map(call, starts), maxlen=0)
    except BaseException as error:
        errors.append(error)
    endings = [helper.wait() for helper in helpers]
    _idle.extend(helpers)
    errors += [error for error in endings if error is not None]
    if errors:
        raise errors[0]
