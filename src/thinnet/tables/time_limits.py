"""The seconds that a fit may take, shared among its networks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import ClassVar, Final

from thinnet.training import History
from thinnet.training.state import TrainingState

FOR_TRAINING: Final = 0.9  # of the seconds; what follows training needs the rest
IS_OVER: Final = "time_limit is over"


class TimeLimit:
    """A limit that begins now; each network that is still to be trained has the same share.

    Parameters
    ----------
    seconds : float or None
        Of the whole fit; None sets no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.perf_counter() + FOR_TRAINING * seconds
        self._networks = 1
        self._lock = threading.Lock()

    def expect(self, networks: int) -> None:
        """So many networks are still to be trained."""
        self._networks = networks

    def next(self, at_once: int = 1) -> list[Ending]:
        """The callbacks for the network that is trained next, `at_once` with others."""
        if self._end is None:
            return []
        with self._lock:
            now, n = time.perf_counter(), max(self._networks, 1)
            self._networks = n - 1
        return [Ending(now + max(self._end - now, 0.0) * min(at_once / n, 1))]


class Ending:
    """A callback that ends a training at some time, after a step or more."""

    every: ClassVar[int] = 10  # steps between looks at the clock

    def __init__(self, end: float) -> None:
        self._end = end

    def on_step_end(self, training: TrainingState) -> str | None:
        return IS_OVER if time.perf_counter() >= self._end else None

    on_epoch_end = on_step_end


def note(seconds: float | None, histories: Sequence[History]) -> tuple[str, ...]:
    """What to say of trainings that the limit ended."""
    n, of = sum(history.stopped == IS_OVER for history in histories), len(histories)
    if not n:
        return ()
    return (f"time_limit of {seconds:g} s ended the training of {n} of {of} networks",)
