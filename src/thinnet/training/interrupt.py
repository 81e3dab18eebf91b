"""Ctrl-C as a flag: a step is never cut in the middle."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final

_HERE: Final = threading.local()  # its `flag` is the one open in this thread


class InterruptFlag:
    """While open, the first Ctrl-C sets `interrupted`; the second interrupts as it always did.

    A flag inside another one is set when the outer one is, so that one Ctrl-C ends all of several
    trainings; `shared` makes it the outer one of another thread's flags.  Python delivers the
    signal to the main thread only; elsewhere a flag without an outer one does nothing.
    """

    def __init__(self) -> None:
        self._interrupted = False
        self._before: Any = None
        self._outer: InterruptFlag | None = None

    @property
    def interrupted(self) -> bool:
        return self._interrupted or (self._outer is not None and self._outer.interrupted)

    def __enter__(self) -> InterruptFlag:
        self._outer = getattr(_HERE, "flag", None)
        _HERE.flag = self
        on_main = threading.current_thread() is threading.main_thread()
        ignored = (signal.SIG_IGN, None)
        if self._outer is None and on_main and signal.getsignal(signal.SIGINT) not in ignored:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _HERE.flag = self._outer
        self._restore()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Be the outer flag of all flags that are opened in this thread."""
        before = getattr(_HERE, "flag", None)
        _HERE.flag = self
        try:
            yield
        finally:
            _HERE.flag = before

    def interrupt(self) -> None:
        """End what minds the flag, as Ctrl-C does."""
        self._interrupted = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.interrupt()
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
