"""The training of a table's networks one after the other, until Ctrl-C ends it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from thinnet.estimators.weights import SEEDS
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric
from thinnet.network import Network
from thinnet.tables.members import TrainingSet, train_member
from thinnet.training import INTERRUPTED, History
from thinnet.training.interrupt import InterruptFlag


class Member(NamedTuple):
    network: Network
    history: History


class FittedMembers(NamedTuple):
    """The networks whose training ended by itself, and the one that Ctrl-C stopped, if any."""

    done: list[Member]
    cut: Member | None
    training_sets: Sequence[TrainingSet]

    @property
    def is_whole(self) -> bool:
        return len(self.done) == len(self.training_sets)

    @property
    def kept(self) -> list[Member]:
        """The networks whose training ended by itself; if there are none, the stopped one."""
        return self.done or [member for member in (self.cut,) if member is not None]

    def message(self, achieved: str, instead: str) -> str:
        """The sentence about the networks that got so far and the one that was stopped."""
        done, n = len(self.done) or "none", len(self.training_sets)
        text = f"interrupted: {done} of {n} networks {achieved}"
        if self.cut is None:
            return text
        what = "is left out" if self.done else instead
        return f"{text}; network {len(self.done) + 1}, stopped after {self.epochs}, {what}"

    @property
    def epochs(self) -> str:
        """The epochs of the network that was stopped, in words."""
        assert self.cut is not None
        return f"{len(self.cut.history)} of at most {self.training_sets[0].epochs} epochs"


def fit_members(
    estimator: Any,
    loss: Loss,
    training_sets: Sequence[TrainingSet],
    stream: np.random.RandomState,
    flag: InterruptFlag,
) -> FittedMembers:
    """Train a network for each training set, with seeds from the stream."""
    done: list[Member] = []
    for i, training_set in enumerate(training_sets, start=1):
        if flag.interrupted and done:
            break
        seed = int(stream.randint(SEEDS, dtype=np.int64))
        title = f"network {i} of {len(training_sets)}"
        teach = _better_of_two if i == 1 and _decides(estimator, training_set) else _teach
        member = teach(estimator, loss, training_set, seed, title)
        if member.history.stopped == INTERRUPTED:
            return FittedMembers(done, member, training_sets)
        done.append(member)
    return FittedMembers(done, None, training_sets)


def _teach(*how: Any) -> Member:
    return Member(*train_member(*how))


def _decides(estimator: Any, training_set: TrainingSet) -> bool:
    """Is it found by rows held out whether inputs are less their means?"""
    is_new = training_set.held is not None and training_set.start is None
    return is_new and estimator.encoder is None


def _better_of_two(
    estimator: Any, loss: Loss, training_set: TrainingSet, seed: int, title: str
) -> Member:
    """The better of networks with inputs as they are and with inputs less their means.

    The encoder is left as the better one takes it.  With means off, details are learned, in fewer
    steps; without, functions are smooth, which is better where rows are few or targets noisy.  So
    the loss on rows held out must be less by more than chance makes it: its relative standard error
    is about 1 over the root of the rows.
    """
    found, margin = dict[bool, Member](), 1 / math.sqrt(training_set.n_held)
    for center in (False, True):
        estimator.encoder_.center = center
        words = f"{title}, with means off" if center else title
        found[center] = _teach(estimator, loss, training_set, seed, words)
        if found[center].history.stopped == INTERRUPTED:
            estimator.encoder_.center = False
            return found[False]  # as far as it came, or whole
    plain, centered = (_loss(member.history, training_set.monitor) for member in found.values())
    best = centered < plain - margin * abs(plain)
    estimator.encoder_.center = best
    return found[best]


def _loss(history: History, monitor: Literal["loss"] | Metric) -> float:
    """What training stopped by, of the best epoch; less is better."""
    losses = history["validation_loss"] if monitor == "loss" else -history["validation_score"]
    return float(np.nanmin(losses)) if np.isfinite(losses).any() else math.inf
