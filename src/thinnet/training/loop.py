"""The loop over epochs and steps: how a training goes from its first step to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.console import progress as bars
from thinnet.console.progress import Bar
from thinnet.engine.rounding_mode import standard_mode
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric, scorer
from thinnet.network import Network, executor
from thinnet.network.row_order import generator_state
from thinnet.training.checkpointing import Keeper
from thinnet.training.compiled import CompiledSteps
from thinnet.training.data import Data, clean_subsample
from thinnet.training.history import NOT_MEASURED, Epoch
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.reference import ReferenceSteps
from thinnet.training.state import TrainingState

INTERRUPTED: Final = "interrupted"
Text: TypeAlias = Callable[[], str]  # made when a bar shows it
Score: TypeAlias = tuple[float, float]  # a mean loss, and accuracy or R^2


@runtime_checkable
class StepCallback(Protocol):
    """An object that is called at the ends of steps; a sentence it returns ends training.

    With an attribute `every` it is called after every so many steps of the training only, and
    compiled code takes the steps between in one call.
    """

    def on_step_end(self, training: TrainingState) -> str | None: ...


@runtime_checkable
class EpochCallback(Protocol):
    """An object that is called at the ends of epochs; a sentence it returns ends training."""

    def on_epoch_end(self, training: TrainingState) -> str | None: ...


@runtime_checkable
class StepWatcher(Protocol):
    """An object that is called before steps are taken, and decides how far they may go at once.

    Compiled code takes the steps between two calls together; the weights have the same bits as
    without it.
    """

    def before_steps(self, training: TrainingState) -> int:
        """Steps, at least 1, after which it is to be called again at the latest."""
        ...

    def after_steps(self, training: TrainingState, ended: bool) -> None:
        """Called when a call of `advance` or `train` returns or raises; has training ended?"""
        ...


Callback: TypeAlias = StepCallback | EpochCallback | StepWatcher


@runtime_checkable
class Steps(Protocol):
    """An executor's way to take steps of a training, from its next batch on."""

    def take(self, order: Array, at_most: int) -> int:
        """Take from 1 to `at_most` steps and return how many were taken."""
        ...


def steps_for(training: TrainingState, watched: bool) -> Steps:
    """Compiled steps if compiled code knows everything in the training, else the reference's."""
    plan = training.plan
    if not executor.is_compiled(training.network):
        return ReferenceSteps(training)
    if executor.step_obstacles(plan.loss, plan.optimizer):
        return ReferenceSteps(training)
    return CompiledSteps(training, watched)


def check_callbacks(callbacks: Sequence[Any]) -> None:
    several = isinstance(callbacks, Iterable)
    checks.must(several, "callbacks", "a sequence of objects", callbacks)
    for callback in callbacks:
        known = isinstance(callback, StepCallback | EpochCallback | StepWatcher)
        fits = known and not isinstance(callback, type)
        allowed = "an object with on_step_end or on_epoch_end"
        checks.must(fits, "each of callbacks", allowed, callback)
        checks.integer("every of a callback", getattr(callback, "every", 1), 1)


class Loop:
    """Takes the steps of a training, epoch after epoch, until there is a reason to stop.

    Parameters
    ----------
    training : TrainingState
    callbacks : sequence of Callback
    keeper : Keeper
        Writes the checkpoint at the ends of epochs, and when training ends.
    """

    def __init__(self, training: TrainingState, callbacks: Sequence[Any], keeper: Keeper) -> None:
        self.training, self.callbacks, self._keeper = training, [*callbacks, keeper], keeper
        plan, data = training.plan, training.data
        self._clean = clean_subsample(training.network, data.n_rows, plan.clean_rows)
        self._every = [_every(c) for c in callbacks if isinstance(c, StepCallback)]
        self._watchers = [c for c in callbacks if isinstance(c, StepWatcher)]
        self._steps: tuple[int, Steps] | None = None  # with the number of changes till then
        self._order: tuple[int, Array] | None = None  # the order of the rows, with its epoch
        self._score = scorer(plan.metric, data.targets, data.weights)
        self._seconds = 0.0  # the time of the epoch that is not complete
        self._left_at: int | None = None  # the step of the network after the last call

    def advance(
        self, n_steps: int | None = None, progress: bool | None = False, title: str = "training"
    ) -> str:
        """Take `n_steps`, or all to the end; return the reason to stop, "" if there is none."""
        training = self.training
        per_epoch = len(training.slices)
        done = training.epoch * per_epoch + training.batch
        with (
            standard_mode(),
            InterruptFlag() as flag,
            bars.opened(progress, title, done, training.plan.epochs * per_epoch) as bar,
        ):
            ended = True
            try:
                if reason := self._noted(bar, flag, n_steps):
                    self._keeper.keep()
                    training.stop(reason)
                ended = bool(reason)
            finally:
                left(self._watchers, training, ended)
        return reason

    def _noted(self, bar: Bar, flag: InterruptFlag, n_steps: int | None) -> str:
        """Go on, and record the steps in the network's logbook."""
        training, shuffles = self.training, self.training.shuffles
        network, last = training.network, None if n_steps is None else training.t + n_steps
        self._check_place(network)
        training.go_on()
        network.logbook.begin(training.entry())
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return self._go_on(bar, flag, last)
        finally:
            after = None if shuffles is None else generator_state(shuffles.stream)
            network.logbook.end(network.clock.step, network, after)
            self._left_at = network.clock.step

    def _check_place(self, network: Network) -> None:
        """ValueError if another training took steps since: the logbook would mix their rows."""
        step, left_at = network.clock.step, self._left_at
        if left_at is not None and step != left_at:
            raise ValueError(
                f"the network must stand at step {left_at}, where this training left it, got step "
                f"{step}: another training has gone on with it"
            )

    def _go_on(self, bar: Bar, flag: InterruptFlag, last: int | None) -> str:
        training = self.training
        while not (reason := training.is_over()) and training.t != last:
            at_most = None if last is None else last - training.t
            if reason := self._part_of_epoch(bar, flag, at_most):
                return reason
        return reason

    def _part_of_epoch(self, bar: Bar, flag: InterruptFlag, at_most: int | None) -> str:
        """Take the rest of an epoch, or `at_most` steps of it; return the reason to stop."""
        training, start, reason = self.training, time.perf_counter(), ""
        first, n = training.batch, len(training.slices)
        end = n if at_most is None else min(n, first + at_most)
        order = self._order_of_epoch()
        while training.batch < end and not reason:
            n_at_once = min(self._until_due(), end - training.batch)
            bar.advance(self._executor().take(order, n_at_once))
            training.average.take(training.t, training.batch, training.batch == n)
            reason = self._call("on_step_end") or interrupt_reason(flag)
        self._seconds += time.perf_counter() - start
        if training.batch < n:
            return reason
        self._end_epoch(bar)
        ended = self._call("on_epoch_end")
        return reason or ended or interrupt_reason(flag)

    def _order_of_epoch(self) -> Array:
        epoch = self.training.epoch
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, self.training.order()
        return self._order[1]

    def _executor(self) -> Steps:
        n_changes = len(self.training.history.changes)
        if self._steps is None or self._steps[0] != n_changes:
            self._steps = n_changes, steps_for(self.training, watched=bool(self._every))
        return self._steps[1]

    def _until_due(self) -> int:
        """Steps until the next callback wants to be called, or the average to be moved."""
        watched = [watcher.before_steps(self.training) for watcher in self._watchers]
        t, n, average = self.training.t, len(self.training.slices), self.training.plan.average
        due = self._every if average is None else [*self._every, average.every]
        return min([n, *watched, *(every - t % every for every in due)])

    def _end_epoch(self, bar: Bar) -> None:
        training, data = self.training, self.training.data
        due = (training.epoch + 1) % training.plan.evaluate_every == 0
        measured = due or training.epoch + 1 == training.plan.epochs
        penalty = training.penalty()
        with training.average.shown():
            clean = self._evaluate(data, self._clean) if measured else (NOT_MEASURED,) * 2
            validation = self._evaluate(training.validation) if measured else (NOT_MEASURED,) * 2
            bar.show(self._recorded(penalty, clean, validation, due))
        self._seconds = 0.0

    def _recorded(self, penalty: float, clean: Score, validation: Score, due: bool) -> Text:
        """Record the epoch that ends; what a bar shows of it."""
        training = self.training
        epoch = Epoch(
            epoch=training.epoch,
            step=training.network.clock.step,
            learning_rate=training.learning_rate_at(training.t - 1),
            loss=training.loss_sum / training.weight,
            penalty=penalty,
            score=self._score(training.outputs),
            clean_loss=clean[0],
            clean_score=clean[1],
            validation_loss=validation[0],
            validation_score=validation[1],
            seconds=self._seconds,
        )
        # A last epoch that was not due is measured for the history; early stopping ignores it.
        training.end_epoch(epoch, decides=due)
        return epoch.progress_text

    def _evaluate(self, data: Data | None, rows: Array | None = None) -> Score:
        """Loss and score with dropout off."""
        if data is None or (rows is not None and not len(rows)):
            return NOT_MEASURED, NOT_MEASURED
        plan = self.training.plan
        return measure(self.training.network, plan.loss, data, rows, plan.metric)

    def _call(self, method: str) -> str:
        """Call all callbacks that are due; return the first reason to stop that one gives."""
        reasons: list[Any] = []
        for callback in self.callbacks:
            hook = getattr(callback, method, None)
            is_due = method != "on_step_end" or self.training.t % _every(callback) == 0
            reasons.append(hook(self.training) if hook and is_due else None)
        return next((str(reason) for reason in reasons if reason), "")


def left(callbacks: Iterable[Any], training: TrainingState, ended: bool) -> None:
    """Let those that watch steps know that a training paused, or ended in the state it has now."""
    for callback in callbacks:
        if isinstance(callback, StepWatcher):
            callback.after_steps(training, ended)


def interrupt_reason(flag: InterruptFlag) -> str:
    return INTERRUPTED if flag.interrupted else ""


def _every(callback: Any) -> int:
    """After how many steps a callback wants to be called."""
    return int(getattr(callback, "every", 1))


@standard_mode()
def measure(
    network: Network,
    loss: Loss,
    data: Data,
    rows: Array | None = None,
    metric: Metric | None = None,
) -> tuple[float, float]:
    """Loss and score (by default the loss's own) of some rows, or of all, with dropout off."""
    part = data if rows is None else data.part(rows)
    if part.weights is not None and not part.weights.any():
        return NOT_MEASURED, NOT_MEASURED
    outputs = network.outputs(part.X)
    value, _ = loss(outputs, part.targets, part.weights)
    return value, (metric or loss).score(outputs, part.targets, part.weights)
