"""The networks of a table's estimator taught one after the other, until Ctrl-C ends them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thinnet.estimators.weights import SEEDS
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.tables.members import Lesson, train_member
from thinnet.training import INTERRUPTED, History
from thinnet.training.interrupt import InterruptFlag


class Pupil(NamedTuple):
    network: Network
    history: History


class Taught(NamedTuple):
    """Those that have learned their lesson, and the one that Ctrl-C has stopped, if any."""

    done: list[Pupil]
    cut: Pupil | None
    lessons: Sequence[Lesson]

    @property
    def is_whole(self) -> bool:
        return len(self.done) == len(self.lessons)

    @property
    def kept(self) -> list[Pupil]:
        """Those that have learned; if there are none, the one that was stopped."""
        return self.done or [pupil for pupil in (self.cut,) if pupil is not None]

    def told(self, goal: str, instead: str) -> str:
        """How many reached the goal, and what becomes of the one that was stopped."""
        said = f"interrupted: {len(self.done) or 'none'} of {len(self.lessons)} networks {goal}"
        if self.cut is None:
            return said
        what = "is left out" if self.done else instead
        return f"{said}; network {len(self.done) + 1}, stopped after {self.epochs}, {what}"

    @property
    def epochs(self) -> str:
        """How far the one came that was stopped."""
        assert self.cut is not None
        return f"{len(self.cut.history)} of at most {self.lessons[0].epochs} epochs"


def teach(
    settings: Any,
    loss: Loss,
    lessons: Sequence[Lesson],
    stream: np.random.RandomState,
    flag: InterruptFlag,
) -> Taught:
    """A network for each lesson, with seeds from the stream."""
    done: list[Pupil] = []
    for i, lesson in enumerate(lessons, start=1):
        if flag.asked and done:
            break
        seed = int(stream.randint(SEEDS, dtype=np.int64))
        title = f"network {i} of {len(lessons)}"
        pupil = Pupil(*train_member(settings, loss, lesson, seed, title))
        if pupil.history.stopped == INTERRUPTED:
            return Taught(done, pupil, lessons)
        done.append(pupil)
    return Taught(done, None, lessons)
