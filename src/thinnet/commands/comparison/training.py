"""Training without and with dropout, alike in all else, and timed alike."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from thinnet.arrays import Array
from thinnet.commands.recipes import Settings
from thinnet.datasets import Split
from thinnet.losses import SoftmaxCrossEntropy
from thinnet.network import Network
from thinnet.training import INTERRUPTED, Callback, History, evaluate, train

LOSS: Final = SoftmaxCrossEntropy()
WITHOUT, WITH = "without dropout", "with dropout"


class Outcome(NamedTuple):
    """A trained network and its scores; `right` marks the test rows that it gets right."""

    name: str
    network: Network
    history: History
    train_score: float
    test_loss: float
    test_score: float
    right: Array
    seconds: float

    @property
    def gap(self) -> float:
        """The score on training rows minus that on test rows."""
        return self.train_score - self.test_score

    @property
    def interrupted(self) -> bool:
        return self.history.stopped == INTERRUPTED


class Entry(NamedTuple):
    """A network that is ready to be trained."""

    name: str
    network: Network
    settings: Settings


def entries(split: Split, settings: Settings, compare: bool) -> list[Entry]:
    """The networks to train, without dropout first; all are made before any is trained."""
    without = dataclasses.replace(settings, dropout=(0.0,), input_dropout=0.0)
    wanted = [(WITH, settings)] if settings.drops else []
    if compare or not settings.drops:
        wanted = [(WITHOUT, without), *wanted]
    n_features = split.X_train.shape[1]
    n_classes = int(max(split.y_train.max(), split.y_test.max())) + 1
    return [Entry(name, each.network(n_features, n_classes), each) for name, each in wanted]


def train_all(
    split: Split,
    entered: Sequence[Entry],
    progress: bool | None = None,
    callbacks: Sequence[Callback] = (),
) -> list[Outcome]:
    """Train the networks one after the other, up to the first that is interrupted."""
    for _, network, settings in entered:
        warm(network, settings, split)
    outcomes: list[Outcome] = []
    for entry in entered:
        outcomes.append(fit(split, entry, progress, callbacks))
        if outcomes[-1].interrupted:
            break
    return outcomes


def warm(network: Network, settings: Settings, split: Split) -> None:
    """Compile and load all that a training needs before anything is timed.

    A copy is trained for a step, and measured; the network itself stays as it is.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted: no network is trained yet that could be shown.
    """
    rows = slice(max(settings.batch_size, 1))
    few = Split(*(part[rows] for part in split))
    history = _train(copy.deepcopy(network), settings, few, epochs=1, progress=False)
    if history.stopped == INTERRUPTED:
        raise KeyboardInterrupt


def fit(
    split: Split,
    entry: Entry,
    progress: bool | None = None,
    callbacks: Sequence[Callback] = (),
) -> Outcome:
    """Train one network by its settings; the test part is measured, not used."""
    name, network, settings = entry
    start = time.perf_counter()
    history = _train(network, settings, split, settings.epochs, progress, name, callbacks)
    seconds = time.perf_counter() - start
    _, train_score = evaluate(network, split.X_train, split.y_train, loss=LOSS)
    test_loss, test_score = evaluate(network, split.X_test, split.y_test, loss=LOSS)
    right = network.outputs(split.X_test).argmax(axis=1) == split.y_test
    return Outcome(name, network, history, train_score, test_loss, test_score, right, seconds)


def _train(
    network: Network,
    settings: Settings,
    split: Split,
    epochs: int,
    progress: bool | None,
    title: str = "training",
    callbacks: Sequence[Callback] = (),
) -> History:
    return train(
        network,
        split.X_train,
        split.y_train,
        loss=LOSS,
        optimizer=settings.new_optimizer(),
        epochs=epochs,
        batch_size=settings.batch_size,
        validation=(split.X_test, split.y_test),
        callbacks=callbacks,
        progress=progress,
        title=title,
    )
