"""A line each epoch: what `verbose` prints while a table's networks are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thinnet.training.history import Epoch
from thinnet.training.loop import Callback
from thinnet.training.state import TrainingState


@dataclass(frozen=True)
class EpochLines:
    """A callback that prints every so many epochs what an epoch came to.

    Parameters
    ----------
    title : str
        Which network.
    every : int
        Epochs between two lines.
    """

    title: str
    every: int = 1

    def on_epoch_end(self, training: TrainingState) -> None:
        n = training.network.clock.epoch  # over the network's life, earlier fits included
        if n % self.every == 0:
            print(f"{self.title}, epoch {n}: {_words(training)}", flush=True)


def with_lines(callbacks: Any, verbose: int, title: str) -> Sequence[Callback]:
    """The callbacks, and one that prints lines if `verbose` is above 0."""
    return [EpochLines(title, int(verbose)), *callbacks] if verbose else callbacks


def _words(training: TrainingState) -> str:
    epoch: Epoch = training.history.last
    text = f"loss {epoch.loss:.4g}"
    if training.validation is None:
        return f"{text}, on all rows"
    rule = training.plan.early_stopping
    if rule is None or rule.metric is None:
        return f"{text}, held-out loss {epoch.validation_loss:.4g}"
    of_metric = f"held-out {rule.watched} {epoch.validation_score:.4g}"
    return f"{text}, held-out loss {epoch.validation_loss:.4g}, {of_metric}"
