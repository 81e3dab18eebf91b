"""`warm_start`: a fit that goes on from the networks of the last one.

What gives the networks their meaning is kept: the encoder, the classes with their weights, the
scale of targets.  Each network goes on with rows of its own fold.  Where others have learned from
all rows, those of the folds were kept beside them: so the rows held out are still new to the
network that stops by them, if the same rows are split in the same way (an integer `random_state`).
The weights that a fit begins with are a candidate too: it never makes the held-out rows worse.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean
from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.layers.base import title
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.tables import members
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.preparing import prepared
from thinnet.tables.members import TrainingSet
from thinnet.tables.reading.frames import as_frame, frame_of
from thinnet.tables.splitting import Split
from thinnet.tables.teaching import FittedMembers, Member
from thinnet.training.data import checked_data
from thinnet.training.history import History
from thinnet.training.loop import measure

KEPT: Final = "is left out and those of the fit before stand"
WITH: Final = "with warm_start=True, as in the first fit"


def goes_on(estimator: Any) -> bool:
    """Whether a fit goes on from an earlier one; ValueError if that was not made for it."""
    if not (estimator.warm_start and hasattr(estimator, "networks_")):
        return False
    if not hasattr(estimator, "fold_networks_"):
        raise ValueError(
            "warm_start must be True from the first fit on, got a model that has not kept the "
            "networks of its folds"
        )
    return True


def encoded(encoder: TableEncoder, X: Any, y: Array | None, folds: list[Split] | None) -> Array:
    """Rows to learn from, by an encoder that is fitted; ValueError for a table of other columns."""
    names, own = list(frame_of(X).columns), list(encoder.names_in_)
    if hasattr(encoder, "feature_names_in_") and set(names) != set(own):
        lacking = [name for name in own if name not in names]
        besides = [name for name in names if name not in own]
        got = f"none named {quoted(lacking[0])}" if lacking else f"{quoted(besides[0])} besides"
        raise ValueError(f"X must have the same columns {WITH}, got {got}")
    frame = as_frame(X, encoder, first=False)
    if encoder.parts_ is None:
        return encoder.encoded(encoder.table(X))
    ready = prepared(frame, encoder.columns_, encoder.missing_)
    return encoder.parts_.again(ready, y, folds)


class Earlier(NamedTuple):
    """The networks of an earlier fit to go on from, those that predict, and the histories."""

    starts: list[Network]
    networks: list[Network]
    histories: list[History]

    @classmethod
    def of(cls, estimator: Any) -> Earlier:
        """ValueError where settings describe other networks than there are."""
        of_folds, networks = estimator.fold_networks_, estimator.networks_
        n, first = max(len(of_folds), len(networks)), networks[0]
        checks.must(estimator.n_networks == n, "n_networks", f"{n} {WITH}", estimator.n_networks)
        dtype = str(first.dtype)
        checks.must(estimator.dtype == dtype, "dtype", f"{dtype!r} {WITH}", estimator.dtype)
        wanted = members.layers(estimator, estimator.head_.width)
        has, asked = (", ".join(map(title, layers)) for layers in (first.layers, wanted))
        checks.must(list(first.layers) == wanted, "the layers", f"{has} {WITH}", asked)
        return cls(of_folds or networks, networks, estimator.histories_)

    @property
    def of_all(self) -> Earlier:
        """To go on from those that predict; after an interruption some are those of the folds."""
        return self._replace(starts=[*self.networks, *self.starts[len(self.networks) :]])

    @property
    def are_of_folds(self) -> bool:
        """Whether the networks that predict are those of the folds themselves."""
        return self.starts is self.networks

    def start(self, i: int) -> Network:
        return self.starts[i % len(self.starts)]  # of few rows there may be fewer folds

    def to_go_on(self, training_sets: Sequence[TrainingSet]) -> list[TrainingSet]:
        """The training sets with copies of the networks to go on from."""
        return [
            each._replace(start=copy.deepcopy(self.start(i)))
            for i, each in enumerate(training_sets)
        ]


class GoneOn(NamedTuple):
    """Networks that went on, with all their epochs, and how many more serve all of them best."""

    members: dict[int, Member]
    epochs: int


def gone_on(earlier: Earlier, fitted: FittedMembers, loss: Loss) -> GoneOn:
    """The better of each network before and after its fit; the former where it was not reached."""
    found, curves = dict[int, Member](), []
    for i, training_set in enumerate(fitted.training_sets):
        before, history = earlier.start(i), earlier.histories[i % len(earlier.histories)]
        if i not in fitted.done:
            found[i] = Member(before, history)
            continue
        network, later = fitted.done[i]
        curve = np.append(_of_start(before, loss, training_set), _curve(later, training_set))
        reached = later.best_epoch >= 0  # else it diverged
        better = reached and bool(np.nanmax(curve[1:], initial=-np.inf) > curve[0])
        if not better:
            network.theta[:], network.state[:] = before.theta, before.state
        found[i] = Member(network, _joined(history, later, better=better))
        curves.append(curve)
    n = min(map(len, curves), default=1)
    mean = lane_mean(np.stack([curve[:n] for curve in curves])) if curves else np.zeros(1)
    return GoneOn(found, int(np.nanargmax(mean)) if np.isfinite(mean).any() else n - 1)


def unchanged(training_sets: Sequence[TrainingSet]) -> FittedMembers:
    """The networks to go on from as they are."""
    starts = [each.start for each in training_sets]
    found = [Member(start, History()) for start in starts if start is not None]
    return FittedMembers.of(found, training_sets)


def _of_start(network: Network, loss: Loss, training_set: TrainingSet) -> float:
    """What the network's training stops by, before its first epoch; larger is better."""
    assert training_set.to_stop_by is not None
    X, y, weights = training_set.to_stop_by
    monitor = training_set.monitor
    data = checked_data(network, loss, X, y, weights)
    value, score = measure(network, loss, data, metric=None if monitor == "loss" else monitor)
    return -value if monitor == "loss" else score


def _curve(history: History, training_set: TrainingSet) -> Array:
    if training_set.monitor == "loss":
        return -history["validation_loss"]
    return history["validation_score"]


def _joined(before: History, after: History, *, better: bool) -> History:
    """The epochs of two fits, numbered on."""
    n = len(before)
    epochs = [*before, *(replace(epoch, epoch=epoch.epoch + n) for epoch in after)]
    best = n + after.best_epoch if better else before.best_epoch
    return History(after.score_name, epochs, after.stopped, best, [*before.changes, *after.changes])
