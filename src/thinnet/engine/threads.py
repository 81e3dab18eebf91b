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
from queue import Empty, SimpleQueue
from typing import Any

from thinnet import checks
from thinnet.engine.cores import cores
from thinnet.engine.rounding_mode import in_standard_mode, standard_mode

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
        self.orders: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.error: BaseException | None = None
        self.ended = threading.Lock()
        self.ended.acquire()
        self.thread = threading.Thread(target=self._serve, name="thinnet", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while (work := self.orders.get()) is not None:
            self.error = _error_of(work)
            del work  # what it holds must not live on in a sleeping thread
            self.ended.release()

    def end(self) -> list[BaseException]:
        """Do its work in its place if it has not begun, else wait; what went wrong.

        It may not have woken yet, where another library's thread spins on its core.  The end is
        waited for even if interrupted: the work's memory must stay till then.
        """
        interrupts, answers = list[BaseException](), list[Any]()
        ask: Callable[[], Any] = self.orders.get_nowait
        while not answers:
            try:  # one call of C, so that no Ctrl-C comes between the end and the note of it
                answers.extend(map(call, [ask]))
            except Empty:
                ask = self.ended.acquire
            except KeyboardInterrupt as error:
                interrupts.append(error)
        not_begun = answers[0] is not True
        found, self.error = _error_of(answers[0]) if not_begun else self.error, None
        return interrupts if found is None else [found, *interrupts]

    def leave(self) -> None:
        self.orders.put(None)
        self.thread.join()


def _error_of(work: Callable[[], object]) -> BaseException | None:
    try:
        with standard_mode():
            work()
    except BaseException as error:
        return error
    return None


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


_at_work: dict[int, int] = {}  # for each thread that has called a team, how many its members are


def run_team(size: int, function: Callable[..., object], *arguments: object) -> None:
    """Call ``function(me, size, *arguments)`` for me = 0 to size - 1, on up to as many threads.

    The calling thread is member 0, and each other one that has not begun when it has ended; so no
    member may wait for another to begin.  Where other threads have teams at work, `size` is what
    they leave of `n_threads`, if that is less.  An exception is raised when all have ended.
    """
    caller = threading.get_ident()
    if size > 1 and (others := sum(list(_at_work.values()))):
        size = max(1, min(size, n_threads() - others))
    try:
        _at_work[caller] = size
        in_standard_mode(_run, size, function, *arguments)
    finally:
        _at_work.pop(caller, None)


def _run(size: int, function: Callable[..., object], *arguments: object) -> None:
    if size == 1:
        function(0, 1, *arguments)
        return
    helpers = [_hire() for _ in range(size - 1)]
    mine, *theirs = [partial(function, me, size, *arguments) for me in range(size)]
    orders = [partial(each.orders.put, work) for each, work in zip(helpers, theirs, strict=True)]
    starts: list[Callable[[], object]] = [*orders, mine]
    errors: list[BaseException] = []
    try:
        # One call of C: between its parts no Ctrl-C can come, after which some would wait for ever.
        deque(map(call, starts), maxlen=0)
    except BaseException as error:
        errors.append(error)
    for helper in helpers:
        errors += helper.end()
    _idle.extend(helpers)
    if errors:
        raise errors[0]
