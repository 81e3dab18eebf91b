"""A training run carried out: its checkpoint, its progress bar, and how it ends."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from thinnet import checks, snapshots
from thinnet.console import progress as bars
from thinnet.training.history import History
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.loop import EpochCallback, StepCallback, Training
from thinnet.training.resumption import fingerprint, restore, snapshot


def check_callbacks(callbacks: Sequence[Any]) -> None:
    several = isinstance(callbacks, Iterable)
    checks.must(several, "callbacks", "a sequence of objects", callbacks)
    for callback in callbacks:
        fits = isinstance(callback, StepCallback | EpochCallback) and not isinstance(callback, type)
        allowed = "an object with on_step_end or on_epoch_end"
        checks.must(fits, "each of callbacks", allowed, callback)


class Keeper:
    """Writes the checkpoint at the ends of epochs, and when training ends."""

    def __init__(self, training: Training, path: str | os.PathLike[str] | None) -> None:
        self._training, self._path = training, path
        self._made_for: dict[str, str] = {}
        if path is None:
            return
        snapshots.check_place(path)
        known, dtype = ("float16", "float32", "float64"), training.network.dtype
        checks.must(dtype in known, "the network", f"of type {', '.join(known)} to be kept", dtype)
        self._made_for = fingerprint(training)

    def resume(self) -> None:
        if self._path is None:
            raise ValueError("resume=True needs a checkpoint to go on from, got checkpoint=None")
        if Path(self._path).exists():
            saved = snapshots.read(self._path)
            restore(self._training, saved, self._made_for, self._path)

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch % training.plan.checkpoint_every == 0:
            self.keep()

    def keep(self) -> None:
        if self._path is not None:
            snapshots.write(self._path, snapshot(self._training, self._made_for))


def carry_out(
    training: Training,
    callbacks: Sequence[Any],
    keeper: Keeper,
    progress: bool | None,
    title: str,
) -> History:
    """Train to the end, a reason to stop, or Ctrl-C; keep the checkpoint and the best weights."""
    history, per_epoch = training.history, len(training.slices)
    done = training.epoch * per_epoch + training.batch
    with (
        InterruptFlag() as flag,
        bars.opened(progress, title, done, training.plan.epochs * per_epoch) as bar,
    ):
        history.stopped = training.run([*callbacks, keeper], bar, flag)
        keeper.keep()
    if training.plan.early_stopping is not None and training.waiting.epoch >= 0:
        training.best.restore(training.network)
        history.best_epoch = training.waiting.epoch
    return history
