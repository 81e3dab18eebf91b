"""The training of a table's networks, as many at once as there are cores, until Ctrl-C ends it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from thinnet.engine.threads import limited, n_threads
from thinnet.estimators.weights import SEEDS
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric
from thinnet.network import Network
from thinnet.tables import memory
from thinnet.tables.members import TrainingSet, member_network, train_member
from thinnet.training import INTERRUPTED, History
from thinnet.training.interrupt import InterruptFlag


class Member(NamedTuple):
    network: Network
    history: History

    @property
    def is_cut(self) -> bool:
        return self.history.stopped == INTERRUPTED


class FittedMembers(NamedTuple):
    """The networks whose training ended by itself, and those that Ctrl-C stopped, by their places.

    Networks that were not begun are in neither.
    """

    done: dict[int, Member]
    cut: dict[int, Member]
    training_sets: Sequence[TrainingSet]

    @classmethod
    def of(
        cls, found: Sequence[Member | None], training_sets: Sequence[TrainingSet]
    ) -> FittedMembers:
        begun = [(place, member) for place, member in enumerate(found) if member is not None]
        done = {place: member for place, member in begun if not member.is_cut}
        cut = {place: member for place, member in begun if member.is_cut}
        return cls(done, cut, training_sets)

    @property
    def is_whole(self) -> bool:
        return len(self.done) == len(self.training_sets)

    @property
    def kept(self) -> dict[int, Member]:
        """The networks whose training ended by itself; if there are none, the first stopped one."""
        return self.done or dict(list(self.cut.items())[:1])

    def message(self, achieved: str, instead: str) -> str:
        """The sentence about the networks that got so far and those that were stopped."""
        done, n = len(self.done) or "none", len(self.training_sets)
        what = "is left out" if self.done else instead
        stopped = self.cut if self.done else self.kept
        epochs = self.training_sets[0].epochs
        clauses = [f"interrupted: {done} of {n} networks {achieved}"] + [
            f"network {place + 1}, stopped after {len(member.history)} of at most {epochs} epochs, "
            f"{what}"
            for place, member in stopped.items()
        ]
        return "; ".join(clauses)


class Task(NamedTuple):
    """A network to train, what it learns from, and what it is called."""

    network: Network
    training_set: TrainingSet
    title: str


@dataclass(frozen=True)
class Teacher:
    """Trains networks at once, in threads: each is so small that cores can't share it well.

    An epoch is one call of compiled code or a few, which don't hold Python's lock.  Callbacks, and
    lines that are printed, see one training after the other.
    """

    estimator: Any
    loss: Loss
    flag: InterruptFlag

    def taught(self, tasks: Sequence[Task]) -> list[Member | None]:
        """The trained networks; None in place of those that had not begun when Ctrl-C came."""
        if not tasks:
            return []
        threads, together = n_threads(), self._together(tasks)
        work = Parallel(n_jobs=together, require="sharedmem")
        last = len(tasks) % together or together  # so many are trained in the end, when none wait
        at_once = [together] * (len(tasks) - last) + [last] * last
        return list(
            work(
                delayed(self._taught)(task, place, n, threads // n)
                for place, (task, n) in enumerate(zip(tasks, at_once, strict=True))
            )
        )

    def _taught(self, task: Task, place: int, at_once: int, threads: int) -> Member | None:
        if self.flag.interrupted and place:
            return None
        endings = self.estimator.time_limit_.next(at_once)
        with limited(threads), self.flag.shared():
            history = train_member(self.estimator, self.loss, *task, endings)
        return Member(task.network, history)

    def _together(self, tasks: Sequence[Task]) -> int:
        if self.estimator.callbacks or self.estimator.verbose:
            return 1
        room = memory.room(max(task.training_set.rows.bytes for task in tasks))
        return min(n_threads(), len(tasks), room)

    def better_of_two(self, training_set: TrainingSet, seed: int, title: str) -> Member:
        """The better of networks with inputs as they are and with inputs less their means.

        The encoder is left as the better one takes it.  With means off, details are learned, in
        fewer steps; without, functions are smooth, which is better where rows are few or targets
        noisy.  So the loss on rows held out must be less by more than chance makes it: its relative
        standard error is about 1 over the root of the rows.
        """
        tasks, encoder = [], self.estimator.encoder_
        for center, words in ((False, title), (True, f"{title}, with means off")):
            encoder.center = center
            network = member_network(self.estimator, training_set, seed)
            tasks.append(Task(network, training_set, words))
        encoder.center = False
        as_is, means_off = self.taught(tasks)
        assert as_is is not None
        if means_off is None or as_is.is_cut or means_off.is_cut:
            return as_is  # as far as it came, or whole
        both, margin = (as_is, means_off), 1 / math.sqrt(training_set.n_held)
        plain, centered = (_loss(member.history, training_set.monitor) for member in both)
        encoder.center = centered < plain - margin * abs(plain)
        return means_off if encoder.center else as_is


def fit_members(
    estimator: Any,
    loss: Loss,
    training_sets: Sequence[TrainingSet],
    stream: np.random.RandomState,
    flag: InterruptFlag,
) -> FittedMembers:
    """Train a network for each training set, with seeds from the stream."""
    teacher, n = Teacher(estimator, loss, flag), len(training_sets)
    found, tasks = list[Member | None](), list[Task]()
    for i, training_set in enumerate(training_sets, start=1):
        seed, title = int(stream.randint(SEEDS, dtype=np.int64)), f"network {i} of {n}"
        if i == 1 and _decides(estimator, training_set):
            found.append(teacher.better_of_two(training_set, seed, title))
        else:
            network = member_network(estimator, training_set, seed)
            tasks.append(Task(network, training_set, title))
    if not (found and flag.interrupted):
        found += teacher.taught(tasks)
    return FittedMembers.of(found, training_sets)


def _decides(estimator: Any, training_set: TrainingSet) -> bool:
    """Is it found by rows held out whether inputs are less their means?"""
    is_new = training_set.held is not None and training_set.start is None
    return is_new and estimator.encoder is None


def _loss(history: History, monitor: Literal["loss"] | Metric) -> float:
    """What training stopped by, of the best epoch; less is better."""
    losses = history["validation_loss"] if monitor == "loss" else -history["validation_score"]
    return float(np.nanmin(losses)) if np.isfinite(losses).any() else math.inf
