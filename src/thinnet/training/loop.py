"""The loop over epochs and steps: how a training goes from its first step to its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.console import progress as bars
from thinnet.console.progress import Bar
from thinnet.losses import Loss
from thinnet.network import Network, executor
from thinnet.network.row_order import generator_state
from thinnet.training.checkpointing import Keeper
from thinnet.training.compiled import CompiledSteps
from thinnet.training.data import Data, clean_subsample
from thinnet.training.history import NOT_MEASURED, Epoch, History
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.reference import ReferenceSteps
from thinnet.training.state import Training

INTERRUPTED, EPOCHS_DONE = "interrupted", "all epochs done"


@runtime_checkable
class StepCallback(Protocol):
    """Called at the ends of steps; a sentence it returns ends training."""

    def on_step_end(self, training: Training) -> str | None: ...


@runtime_checkable
class EpochCallback(Protocol):
    """Called at the ends of epochs; a sentence it returns ends training."""

    def on_epoch_end(self, training: Training) -> str | None: ...


Callback: TypeAlias = StepCallback | EpochCallback


@runtime_checkable
class Steps(Protocol):
    """Takes steps of a training, from its next batch on."""

    def take(self, order: Array, at_most: int) -> int:
        """Take one step or more; how many."""
        ...


def steps_for(training: Training, watched: bool) -> Steps:
    """Compiled steps where everything in the training is known to compiled code."""
    plan = training.plan
    if executor.is_compiled(training.network) and executor.knows(plan.loss, plan.optimizer):
        return CompiledSteps(training, watched)
    return ReferenceSteps(training)


def check_callbacks(callbacks: Sequence[Any]) -> None:
    several = isinstance(callbacks, Iterable)
    checks.must(several, "callbacks", "a sequence of objects", callbacks)
    for callback in callbacks:
        fits = isinstance(callback, StepCallback | EpochCallback) and not isinstance(callback, type)
        allowed = "an object with on_step_end or on_epoch_end"
        checks.must(fits, "each of callbacks", allowed, callback)


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
        history.stopped = Loop(training, [*callbacks, keeper], bar, flag).run()
        keeper.keep()
    if training.plan.early_stopping is not None and training.waiting.epoch >= 0:
        training.put_best_back(training.waiting.epoch)
    return history


class Loop:
    """Epochs of a training, one after the other, until a reason to stop comes up.

    Parameters
    ----------
    training : Training
    callbacks : sequence of Callback
    bar : Bar
        Shows the progress.
    flag : InterruptFlag
        Raised by Ctrl-C.
    """

    def __init__(
        self, training: Training, callbacks: Sequence[Callback], bar: Bar, flag: InterruptFlag
    ) -> None:
        self.training, self.callbacks, self.bar, self.flag = training, callbacks, bar, flag
        plan, data = training.plan, training.data
        self._clean = clean_subsample(training.network, data.n_rows, plan.clean_rows)

    def run(self) -> str:
        """Train; the reason to stop."""
        training, shuffles = self.training, self.training.shuffles
        network = training.network
        network.logbook.begin(training.entry())
        try:
            return self._epochs()
        finally:
            after = None if shuffles is None else generator_state(shuffles.stream)
            network.logbook.end(network.clock.step, network, after)

    def _epochs(self) -> str:
        training, watched = self.training, _watch_steps(self.callbacks)
        steps, at_most = steps_for(training, watched), 1 if watched else len(training.slices)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            while training.epoch < training.plan.epochs and not training.waited_enough():
                if reason := self._epoch(steps, at_most):
                    return reason
        return training.waited_enough() or EPOCHS_DONE

    def _epoch(self, steps: Steps, at_most: int) -> str:
        training, start, reason = self.training, time.perf_counter(), ""
        order = training.order()
        while training.batch < len(training.slices):
            self.bar.advance(steps.take(order, at_most))
            reason = self._ask("on_step_end") or self._asked()
            if reason and training.batch < len(training.slices):
                return reason
        self._end_epoch(time.perf_counter() - start)
        asked = self._ask("on_epoch_end")
        return reason or asked or self._asked()

    def _end_epoch(self, seconds: float) -> None:
        training = self.training
        network, data, loss = training.network, training.data, training.plan.loss
        due = (training.epoch + 1) % training.plan.evaluate_every == 0
        measured = due or training.epoch + 1 == training.plan.epochs
        clean = self._evaluate(data, self._clean) if measured else (NOT_MEASURED,) * 2
        validation = self._evaluate(training.validation) if measured else (NOT_MEASURED,) * 2
        epoch = Epoch(
            epoch=training.epoch,
            step=network.clock.step,
            learning_rate=training.learning_rate_at(training.t - 1),
            loss=training.loss_sum / data.total(np.arange(data.n_rows)),
            penalty=training.penalty(),
            score=loss.score(training.outputs, data.targets, data.weights),
            clean_loss=clean[0],
            clean_score=clean[1],
            validation_loss=validation[0],
            validation_score=validation[1],
            seconds=seconds,
        )
        training.end_epoch(epoch, decides=due)  # a last one, measured for its own sake, does not
        self.bar.say(epoch.said())

    def _evaluate(self, data: Data | None, rows: Array | None = None) -> tuple[float, float]:
        """Loss and score with dropout off."""
        if data is None or (rows is not None and not len(rows)):
            return NOT_MEASURED, NOT_MEASURED
        return measure(self.training.network, self.training.plan.loss, data, rows)

    def _ask(self, method: str) -> str:
        """The first reason to stop that a callback gives; all are called."""
        reasons: list[Any] = []
        for callback in self.callbacks:
            ask = getattr(callback, method, None)
            reasons.append(ask(self.training) if ask else None)
        return next((str(reason) for reason in reasons if reason), "")

    def _asked(self) -> str:
        return INTERRUPTED if self.flag.asked else ""


def measure(
    network: Network, loss: Loss, data: Data, rows: Array | None = None
) -> tuple[float, float]:
    """Loss and score of some rows, or of all, with dropout off."""
    part = data if rows is None else data.part(rows)
    if part.weights is not None and not part.weights.any():
        return NOT_MEASURED, NOT_MEASURED
    outputs = network.outputs(part.X)
    value, _ = loss(outputs, part.targets, part.weights)
    return value, loss.score(outputs, part.targets, part.weights)


def _watch_steps(callbacks: Sequence[Callback]) -> bool:
    return any(isinstance(callback, StepCallback) for callback in callbacks)
