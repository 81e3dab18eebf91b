"""The same network without and with dropout: what dropout did for it."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.table import Table

from thinnet.datasets import Split
from thinnet.displays.saving import save_figure
from thinnet.losses import SoftmaxCrossEntropy
from thinnet.network import Network
from thinnet.recipes import Settings
from thinnet.training import INTERRUPTED, History, evaluate, train

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSS = SoftmaxCrossEntropy()
WITHOUT, WITH = "without dropout", "with dropout"


class Outcome(NamedTuple):
    name: str
    network: Network
    history: History
    train_score: float
    test_loss: float
    test_score: float
    seconds: float

    @property
    def gap(self) -> float:
        """How much better the network is on what it has seen."""
        return self.train_score - self.test_score


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


def run(split: Split, entered: Sequence[Entry], progress: bool | None = None) -> list[Outcome]:
    """Train one after the other; an interrupted one is the last."""
    outcomes: list[Outcome] = []
    for entry in entered:
        outcomes.append(fit(split, entry, progress))
        if outcomes[-1].history.stopped == INTERRUPTED:
            break
    return outcomes


def fit(split: Split, entry: Entry, progress: bool | None = None) -> Outcome:
    """Train one network as its settings say, watching the test part without using it."""
    name, network, settings = entry
    start = time.perf_counter()
    history = train(
        network,
        split.X_train,
        split.y_train,
        loss=LOSS,
        optimiser=settings.optimiser(),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        validation=(split.X_test, split.y_test),
        progress=progress,
        title=name,
    )
    seconds = time.perf_counter() - start
    _, train_score = evaluate(network, split.X_train, split.y_train, loss=LOSS)
    test_loss, test_score = evaluate(network, split.X_test, split.y_test, loss=LOSS)
    return Outcome(name, network, history, train_score, test_loss, test_score, seconds)


def table(title: str, outcomes: Sequence[Outcome]) -> Table:
    """Scores with dropout on and off, on what was seen and what was not."""
    score = outcomes[0].history.score_name
    shown = Table(title=f"{title}: {score}")
    shown.add_column("", no_wrap=True)
    for column in (
        "training,\ndropout on",
        "training,\ndropout off",
        "test",
        "test\nloss",
        "gap",
        "time",
    ):
        shown.add_column(column, justify="right")
    for o in outcomes:
        noisy = o.history.last.score if len(o.history) else math.nan
        numbers = (noisy, o.train_score, o.test_score, o.test_loss, o.gap)
        shown.add_row(o.name, *(f"{n:.4f}" for n in numbers), f"{o.seconds:.1f} s")
    return shown


def picture(title: str, outcomes: Sequence[Outcome], path: str | os.PathLike[str]) -> Path | None:
    """Save the learning curves as one picture; its path, or None where no epoch was completed."""
    from matplotlib.figure import Figure

    outcomes = [outcome for outcome in outcomes if len(outcome.history)]
    if not outcomes:
        return None
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    figure.suptitle(title)
    for axes, what in zip(figure.subplots(1, 2), ("loss", "score"), strict=True):
        for outcome in reversed(outcomes):
            _draw(axes, outcome, what)
        axes.set(xlabel="epoch", ylabel=what if what == "loss" else outcomes[0].history.score_name)
    losses, scores = figure.axes
    losses.set_yscale("log")
    # The first epochs are far below the rest; what counts happens near the top.
    low = min(np.quantile(o.history["validation_score"], 0.1) for o in outcomes)
    high = max(o.history[c].max() for o in outcomes for c in ("clean_score", "validation_score"))
    span = (high - low) or 1.0
    scores.set_ylim(low - 0.2 * span, high + 0.05 * span)
    figure.legend(*losses.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return save_figure(figure, path)


COLOURS = {WITHOUT: "tab:orange", WITH: "tab:blue"}
KINDS = (
    ("validation_", "test", {"linewidth": 2.0}),
    ("clean_", "training, dropout off", {"linestyle": "--", "alpha": 0.8}),
    ("", "training, dropout on", {"linestyle": ":", "alpha": 0.8}),
)


def _draw(axes: Axes, outcome: Outcome, what: str) -> None:
    history = outcome.history
    for prefix, label, style in KINDS[: 3 if outcome.name == WITH else 2]:
        axes.plot(
            history["epoch"] + 1,
            history[f"{prefix}{what}"],
            color=COLOURS[outcome.name],
            marker="." if len(history) < 3 else "",
            label=f"{outcome.name}: {label}",
            **style,
        )
