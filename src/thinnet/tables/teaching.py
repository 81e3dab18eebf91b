"""The training of a table's networks, as many at once as there are cores, until Ctrl-C ends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from thinnet.engine.threads import limited, n_threads
from thinnet.estimators.weights import SEEDS
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric
from thinnet.network import Network
from thinnet.tables import memory
from thinnet.tables.members import TrainingSet, member_network, train_member
from thinnet.training import INTERRUPTED, History
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.sharing import each_its_own, may_meet

ALONE: Final = "stands for all"  # a network that was stopped, where none was trained to its end


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
        stopped = self.kept if what == ALONE else self.cut
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

    @property
    def bytes(self) -> int:
        """The memory that its training takes."""
        parts = (self.training_set.rows, self.training_set.held)
        rows = sum(part.bytes for part in parts if part is not None)
        return memory.bytes_of_training(rows, self.network.theta.nbytes)


@dataclass(frozen=True)
class Teacher:
    """Trains networks at once, in threads: each is so small that cores can't share it well.

    An epoch is one call of compiled code or a few, which don't hold Python's lock.  Callbacks, and
    lines that are printed, see one training after the other.
    """

    estimator: Any
    loss: Loss
    flag: InterruptFlag

    def trained(self, tasks: Sequence[Task]) -> list[Member | None]:
        """The trained networks; None in place of those that had not begun when Ctrl-C came."""
        if not tasks:
            return []
        with _cores_for(self._most_at_once(tasks)) as together:
            last = len(tasks) % together or together  # so many are trained in the end
            at_once = [together] * (len(tasks) - last) + [last] * last
            threads = n_threads()
            own = each_its_own(self._callbacks, len(tasks))
            calls = [
                partial(self._trained, task, place, n, threads // n, callbacks)
                for place, (task, n, callbacks) in enumerate(zip(tasks, at_once, own, strict=True))
            ]
            if together == 1:
                return [call() for call in calls]
            return self._in_threads(together, calls)

    @property
    def _callbacks(self) -> Sequence[Any]:
        return self.estimator.callbacks or ()

    def _in_threads(
        self, together: int, calls: Sequence[Callable[[], Member | None]]
    ) -> list[Member | None]:
        """What the calls return; where one raises, the others end at their next step."""
        with ThreadPoolExecutor(together) as pool:
            futures = [pool.submit(call) for call in calls]
            try:
                ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in ended:
                    future.result()  # raises what it raised
                return [future.result() for future in futures]
            except BaseException:
                self.flag.interrupt()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _trained(
        self, task: Task, place: int, at_once: int, threads: int, callbacks: Sequence[Any]
    ) -> Member | None:
        if self.flag.interrupted and place:
            return None
        callbacks = [*callbacks, *self.estimator.time_limit_.next(at_once)]
        with limited(threads), self.flag.shared():
            history = train_member(self.estimator, self.loss, *task, callbacks)
        return Member(task.network, history)

    def _most_at_once(self, tasks: Sequence[Task]) -> int:
        if self.estimator.verbose or not may_meet(self._callbacks):
            return 1
        return memory.room(max(task.bytes for task in tasks), len(tasks))

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
        as_is, means_off = self.trained(tasks)
        assert as_is is not None
        if means_off is None or as_is.is_cut or means_off.is_cut:
            return as_is  # as far as it came, or whole
        both, margin = (as_is, means_off), 1 / math.sqrt(training_set.n_held)
        plain, centered = (_loss(member.history, training_set.monitor) for member in both)
        encoder.center = centered < plain - margin * abs(plain)
        return means_off if encoder.center else as_is


_at_work: list[int] = []  # of each fit in this process how many networks are trained at once


@contextmanager
def _cores_for(most: int) -> Iterator[int]:
    """How many networks may be trained at once: at most as many as other fits leave cores."""
    together = max(1, min(most, n_threads() - sum(_at_work)))
    _at_work.append(together)
    try:
        yield together
    finally:
        _at_work.remove(together)


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
        found += teacher.trained(tasks)
    return FittedMembers.of(found, training_sets)


def _decides(estimator: Any, training_set: TrainingSet) -> bool:
    """Is it found by rows held out whether inputs are less their means?"""
    is_new = training_set.held is not None and training_set.start is None
    return is_new and estimator.encoder is None


def _loss(history: History, monitor: Literal["loss"] | Metric) -> float:
    """What training stopped by, of the best epoch; less is better."""
    losses = history["validation_loss"] if monitor == "loss" else -history["validation_score"]
    return float(np.nanmin(losses)) if np.isfinite(losses).any() else math.inf
