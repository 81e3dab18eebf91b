"""The epoch loop: all that changes while a network is trained, and how it changes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat
from thinnet.console.progress import Bar
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.network.logbook import Entry
from thinnet.network.row_order import Shuffles, batches, generator_state, keyed_order
from thinnet.schedules import as_schedule
from thinnet.schedules.plateau import Plateau, ReduceOnPlateau
from thinnet.training.data import Data, clean_subsample
from thinnet.training.history import NOT_MEASURED, Epoch, History
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.penalties import penalty_value
from thinnet.training.plan import Plan
from thinnet.training.steps import Steps, steps_for
from thinnet.training.stopping import Waiting

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


@dataclass(slots=True)
class Weights:
    """A copy of what a network has learned."""

    theta: Flat
    state: Array

    @classmethod
    def of(cls, network: Network) -> Weights:
        return cls(network.theta.copy(), network.state.copy())

    def take(self, network: Network) -> None:
        self.theta[:], self.state[:] = network.theta, network.state

    def restore(self, network: Network) -> None:
        network.theta[:], network.state[:] = self.theta, self.state


class Begin(NamedTuple):
    """An optimiser's state, and the steps that it has been through."""

    state: Any
    t: int = 0


class Training:
    """A run of training in progress; callbacks get it to look at.

    Parameters
    ----------
    network, data, validation, plan
        What is trained, on what, and how.
    shuffles : Shuffles, optional
        Draws the order of the rows in each epoch.  By default it is a pure function of (seed,
        epoch), and that of the data where one batch holds all.
    begin : Begin, optional
        Where the optimiser stands; by default at its start.

    Attributes
    ----------
    network, data, validation, plan
        What is trained, on what, and how.
    epoch : int
        Epochs of this run that are complete.
    t : int
        Optimiser steps of this run.
    history : History
    """

    def __init__(
        self,
        network: Network,
        data: Data,
        validation: Data | None,
        plan: Plan,
        shuffles: Shuffles | None = None,
        begin: Begin | None = None,
    ) -> None:
        self.network, self.data, self.validation, self.plan = network, data, validation, plan
        begin = Begin(plan.optimiser.start(network.theta)) if begin is None else begin
        self.optimiser_state, self.t = begin
        self.epoch = self.batch = 0
        self.loss_sum = 0.0
        self.outputs = np.zeros((data.n_rows, *network.out), network.dtype)
        self.plateau, self.waiting = Plateau(), Waiting()
        self.history = History(plan.loss.score_name)
        self.best = Weights.of(network)
        self.good = Weights.of(network)
        self._clean = clean_subsample(network, data.n_rows, plan.clean_rows)
        self._schedule = as_schedule(plan.optimiser.learning_rate)
        self.slices = batches(network, data.n_rows, plan.batch_size, plan.accumulate)
        self._shuffles, self._t_before = shuffles, self.t

    def _order(self) -> Array:
        """Of the rows in the next epoch."""
        if self._shuffles is not None:
            return self._shuffles(self.epoch)
        if not self.plan.shuffle or len(self.slices) == 1:
            return np.arange(self.data.n_rows)
        return keyed_order(self.network, self.network.clock.epoch, self.data.n_rows)

    def _entry(self) -> Entry:
        """What the network remembers of this run, from its first step on."""
        data, plan, clock = self.data, self.plan, self.network.clock
        shuffles = self._shuffles
        keyed = plan.shuffle and len(self.slices) > 1
        places = np.array_equal(data.ids, np.arange(data.n_rows))
        return Entry(
            first=clock.step - (self.t - self._t_before),
            steps=0,
            rows=data.n_rows,
            batch_size=int(plan.batch_size),
            accumulate=int(plan.accumulate),
            order="drawn" if shuffles is not None else "keyed" if keyed else "kept",
            epoch=clock.epoch - self.epoch,
            ids=None if places else data.ids.copy(),
            state=None if shuffles is None else shuffles.state,
        )

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self.learning_rate_at(self.t)

    def learning_rate_at(self, t: int) -> float:
        """Of step number `t` of this run, with what plateaus have cut so far."""
        rate = self._schedule.at(t) * self.plateau.scale
        return checks.non_negative("learning_rate", rate)

    def run(self, callbacks: Sequence[Callback], bar: Bar, flag: InterruptFlag) -> str:
        """Train until a reason to stop comes up; return it."""
        network, shuffles = self.network, self._shuffles
        network.logbook.begin(self._entry())
        try:
            return self._run(callbacks, bar, flag)
        finally:
            after = None if shuffles is None else generator_state(shuffles.stream)
            network.logbook.end(network.clock.step, network, after)

    def _run(self, callbacks: Sequence[Callback], bar: Bar, flag: InterruptFlag) -> str:
        watched = _watch_steps(callbacks)
        steps, at_most = steps_for(self, watched), 1 if watched else len(self.slices)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            while self.epoch < self.plan.epochs and not self._waited_enough():
                if reason := self._run_epoch(steps, at_most, callbacks, bar, flag):
                    return reason
        return self._waited_enough() or EPOCHS_DONE

    def _waited_enough(self) -> str:
        rule = self.plan.early_stopping
        if rule is None or not rule.is_over(self.waiting):
            return ""
        return f"no better validation {rule.monitor} in {self.waiting.waited} evaluations"

    def _run_epoch(
        self,
        steps: Steps,
        at_most: int,
        callbacks: Sequence[Callback],
        bar: Bar,
        flag: InterruptFlag,
    ) -> str:
        start, reason = time.perf_counter(), ""
        order = self._order()
        while self.batch < len(self.slices):
            bar.advance(steps.take(order, at_most))
            reason = _ask(callbacks, "on_step_end", self) or _asked(flag)
            if reason and self.batch < len(self.slices):
                return reason
        self._end_epoch(time.perf_counter() - start, bar)
        asked = _ask(callbacks, "on_epoch_end", self)
        return reason or asked or _asked(flag)

    def _end_epoch(self, seconds: float, bar: Bar) -> None:
        network, data, loss = self.network, self.data, self.plan.loss
        due = (self.epoch + 1) % self.plan.evaluate_every == 0
        measured = due or self.epoch + 1 == self.plan.epochs
        clean = self._evaluate(data, self._clean) if measured else (NOT_MEASURED,) * 2
        validation = self._evaluate(self.validation) if measured else (NOT_MEASURED,) * 2
        self.history.epochs.append(
            Epoch(
                epoch=self.epoch,
                step=network.clock.step,
                learning_rate=self.learning_rate_at(self.t - 1),
                loss=self.loss_sum / data.total(np.arange(data.n_rows)),
                penalty=self.penalty(),
                score=loss.score(self.outputs, data.targets, data.weights),
                clean_loss=clean[0],
                clean_score=clean[1],
                validation_loss=validation[0],
                validation_score=validation[1],
                seconds=seconds,
            )
        )
        if due:  # a last epoch that is measured for its own sake decides nothing
            self._decide()
        bar.say(self.history.last.said())
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        network.clock.epoch += 1

    def penalty(self) -> float:
        """The mean over an epoch's steps of the penalty that the present weights would have."""
        by = self.plan.penalised(self.data.total(np.arange(self.data.n_rows)) / len(self.slices))
        return penalty_value(self.network) * by

    def _evaluate(self, data: Data | None, rows: Array | None = None) -> tuple[float, float]:
        """Loss and score with dropout off."""
        if data is None or (rows is not None and not len(rows)):
            return NOT_MEASURED, NOT_MEASURED
        return measure(self.network, self.plan.loss, data, rows)

    def _decide(self) -> None:
        """Early stopping and plateaus, from what the epoch has measured."""
        last, rule = self.history.last, self.plan.early_stopping
        if rule is not None:
            self.waiting = rule.after(
                self.waiting, self.epoch, last.validation_loss, last.validation_score
            )
            if self.waiting.epoch == self.epoch:
                self.best.take(self.network)
        watched = last.clean_loss if self.validation is None else last.validation_loss
        if isinstance(self.plan.optimiser.learning_rate, ReduceOnPlateau):
            self.plateau = self.plan.optimiser.learning_rate.after(self.plateau, watched)


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


def _ask(callbacks: Sequence[Callback], method: str, training: Training) -> str:
    """The first reason to stop that a callback gives; all are called."""
    reasons: list[Any] = []
    for callback in callbacks:
        ask = getattr(callback, method, None)
        reasons.append(ask(training) if ask else None)
    return next((str(reason) for reason in reasons if reason), "")


def _asked(flag: InterruptFlag) -> str:
    return INTERRUPTED if flag.asked else ""
