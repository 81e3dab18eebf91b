"""All that changes while a network is trained; only `TrainingState` writes into it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat, Rows
from thinnet.network import Network
from thinnet.network.changes import Change
from thinnet.network.executor import check_trainable
from thinnet.network.logbook import Entry
from thinnet.network.row_order import Shuffles, batches, keyed_order
from thinnet.schedules import ReduceOnPlateau, as_schedule
from thinnet.schedules.plateau import Plateau
from thinnet.training.averaging import Average
from thinnet.training.data import Data
from thinnet.training.history import Epoch, History
from thinnet.training.learned import Learned
from thinnet.training.penalties import Penalties
from thinnet.training.plan import Plan
from thinnet.training.stopping import Waiting

EPOCHS_DONE: Final = "all epochs done"
OF_TRAINING: Final = -1  # in place of a layer


class Begin(NamedTuple):
    """An optimiser's state, and the number of steps that it has taken."""

    state: Any
    t: int = 0


class Counts(NamedTuple):
    """The counts of a training's epochs and steps, and the states of its rules.

    Attributes
    ----------
    epoch, t, batch : int
        Epochs and optimiser steps that are complete, and steps of the epoch that is not.
    loss_sum : float
        The sum of the losses of the epoch that is not complete.
    plateau : Plateau
    waiting : Waiting
    """

    epoch: int
    t: int
    batch: int
    loss_sum: float
    plateau: Plateau
    waiting: Waiting


class TrainingState:
    """A training in progress; callbacks get it to look at.

    Parameters
    ----------
    network, data, validation, plan
        The network, its training rows, its validation rows, and the settings.
    shuffles : Shuffles, optional
        Gives the order of the rows in each epoch.  By default the order is a pure function of
        (seed, epoch), and that of the data where one batch holds all.
    begin : Begin, optional
        The state that the optimiser begins with; by default an empty one.

    Attributes
    ----------
    network, data, validation, plan
        As given.
    epoch, t, batch, t_before : int
        Complete epochs, optimiser steps, steps of the epoch in progress; optimiser steps before.
    history : History
    slices : list of slice
        The batches, as parts of an epoch's order.
    weight : float
        The sum of the weights of all rows.
    outputs : array
        The network's outputs for each row when it was last trained on.
    average : Average
        The running average of the weights, if the plan has one.
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
        check_trainable(network, plan.loss, plan.optimizer)
        self.network, self.data, self.validation, self.plan = network, data, validation, plan
        begin = Begin(plan.optimizer.start(network.theta)) if begin is None else begin
        self.optimizer_state, self.t = begin
        self.epoch = self.batch = 0
        self.loss_sum = 0.0
        every = np.arange(data.n_rows)
        self._every, self.weight = every, data.total(every)
        self._penalties = Penalties(network)
        self.outputs = np.zeros((data.n_rows, *network.out), network.dtype)
        self.plateau, self.waiting = Plateau(), Waiting()
        self.history = History(plan.metric.score_name)
        self.best = Learned.of(network)
        self.best_epoch: int | None = None  # None: none are kept
        self._good = Learned.of(network)
        self._last: Learned | None = None  # where the best or averaged ones stand in their place
        self.average = Average(plan.average, network)
        self._schedule = as_schedule(plan.optimizer.learning_rate)
        self.slices = batches(network, data.n_rows, plan.batch_size, plan.accumulate)
        self.shuffles, self.t_before = shuffles, self.t

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.learning_rate_at(self.t)

    def learning_rate_at(self, t: int) -> float:
        """The learning rate of step number `t`, times the plateaus' scale so far."""
        rate = self._schedule.at(t) * self.plateau.scale
        return checks.non_negative("learning_rate", rate)

    def scale_learning_rate(self, scale: float) -> None:
        """Multiply what the schedule gives by `scale` from now on."""
        self.plateau = self.plateau._replace(scale=scale)

    def change(self, setting: str, value: float | None, *, layer: int | None = None) -> None:
        """Give a setting another value from the next step on; `history.changes` records it.

        Parameters
        ----------
        setting : str
            "learning_rate", or of layers "rate", "scale", "l1", "l2", "bias_l1", "bias_l2" or
            "max_norm".
        value : float or None
            None only where the layer takes it (`max_norm`).
        layer : int, optional
            The place of a layer in the network (`describe` prints it as "at"); None for all that
            have the setting.

        Raises
        ------
        ValueError
            If nothing has this setting, or the value is out of its range.
        """
        if setting == "learning_rate":
            checks.must(layer is None, "layer", "None for the learning rate", layer)
            self.take_learning_rate(value, self.learning_rate)
        else:
            before = len(self.network.changes)
            self.network.change(setting, value, layer)
            self.history.changes += self.network.changes[before:]

    def take_learning_rate(self, value: float | None, before: float) -> None:
        """Replace the learning rate, which was `before`, from the next step on."""
        rate, step = checks.non_negative("learning_rate", value), self.network.clock.step
        self.history.changes.append(Change(step, OF_TRAINING, "learning_rate", before, rate))
        optimizer: Any = dataclasses.replace(self.plan.optimizer, learning_rate=rate)  # type: ignore[type-var]
        self.plan = dataclasses.replace(self.plan, optimizer=optimizer)
        self._schedule, self.plateau = as_schedule(rate), Plateau()

    def penalty(self) -> float:
        """The penalty of the present weights, as the mean over an epoch's steps."""
        return self._penalties.value() * self.plan.penalised(self.weight / len(self.slices))

    def order(self) -> Array:
        """The order of the rows in the next epoch."""
        if self.shuffles is not None:
            return self.shuffles(self.epoch)
        if not self.plan.shuffle or len(self.slices) == 1:
            return self._every
        return keyed_order(self.network, self.network.clock.epoch, self.data.n_rows)

    def entry(self) -> Entry:
        """The logbook entry of this training."""
        data, plan, clock = self.data, self.plan, self.network.clock
        shuffles = self.shuffles
        keyed = plan.shuffle and len(self.slices) > 1
        places = np.array_equal(data.ids, np.arange(data.n_rows))
        return Entry(
            first=clock.step - (self.t - self.t_before),
            steps=0,
            rows=data.n_rows,
            batch_size=int(plan.batch_size),
            accumulate=int(plan.accumulate),
            order="drawn" if shuffles is not None else "keyed" if keyed else "kept",
            epoch=clock.epoch - self.epoch,
            ids=None if places else data.ids.copy(),
            state=None if shuffles is None else shuffles.state,
        )

    def keep_outputs(self, rows: Array, outputs: Rows) -> None:
        """Keep the outputs of some rows; the epoch's score is computed from them."""
        self.outputs[rows] = outputs

    def keep_good(self) -> None:
        """Keep the present weights: their loss was finite."""
        self._good.copy_from(self.network)

    def exchange_good(self, theta: Flat) -> Flat:
        """Keep `theta`, whose loss was finite, with the present state; the array to use next."""
        theta, self._good.theta = self._good.theta, theta
        self._good.state[:] = self.network.state
        return theta

    def put_good_back(self) -> None:
        self._good.copy_to(self.network)

    def count_steps(self, n: int, losses: Iterable[float]) -> None:
        """Count `n` more steps; `losses` are their micro-batches' losses, each times its weight."""
        for loss in losses:
            self.loss_sum += loss
        self.batch, self.t = self.batch + n, self.t + n

    def end_epoch(self, epoch: Epoch, decides: bool) -> None:
        """Record an epoch; if it `decides`, early stopping and plateaus take it into account."""
        self.history.epochs.append(epoch)
        if decides:
            self._decide()
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        self.network.clock.epoch += 1

    def _decide(self) -> None:
        last, rule = self.history.last, self.plan.early_stopping
        if rule is not None:
            self.waiting = rule.after(
                self.waiting, self.epoch, last.validation_loss, last.validation_score
            )
            if self.waiting.epoch == self.epoch:
                self.keep_best(self.epoch)
        watched = last.clean_loss if self.validation is None else last.validation_loss
        if isinstance(self.plan.optimizer.learning_rate, ReduceOnPlateau):
            self.plateau = self.plan.optimizer.learning_rate.after(self.plateau, watched)

    def is_over(self) -> str:
        """The reason why training ends here by itself; "" if it goes on."""
        return self._waited_enough() or (EPOCHS_DONE if self.epoch >= self.plan.epochs else "")

    def _waited_enough(self) -> str:
        rule = self.plan.early_stopping
        if rule is None or not rule.is_over(self.waiting):
            return ""
        return f"no better validation {rule.watched} in {self.waiting.waited} evaluations"

    def keep_best(self, epoch: int) -> None:
        """Keep the present weights, those of an epoch, as the best; -1 before any epoch."""
        self.best.copy_from(self.network)
        self.best_epoch = epoch

    def best_was(self, epoch: int) -> None:
        """Record that the best weights, which a checkpoint had, are those of an epoch."""
        self.best_epoch = epoch

    def stop(self, reason: str) -> None:
        """Training ends, or is interrupted: the best or the averaged weights, if any, are taken."""
        self.history.stopped = reason
        if self.best_epoch is not None:
            self._last = Learned.of(self.network)
            self.best.copy_to(self.network)
            self.history.best_epoch = self.best_epoch
        elif self.average.mean is not None:
            self._last = Learned.of(self.network)
            self.network.theta[:] = self.average.mean

    def go_on(self) -> None:
        """Go on from the weights of the last step, also where an interruption put others back."""
        self.history.stopped = ""
        if self._last is not None:
            self._last.copy_to(self.network)
            self._last = None

    def arrays(self) -> dict[str, Array]:
        """All arrays that a training changes, by the names that they have in a checkpoint."""
        network, best = self.network, self.best
        return {
            **self.average.arrays(),
            "theta": network.theta,
            "state": network.state,
            "best theta": best.theta,
            "best state": best.state,
            "outputs": self.outputs,
            **{f"optimizer {i}": part for i, part in enumerate(self.optimizer_state)},
        }

    def go_on_from(self, counts: Counts, arrays: Mapping[str, Array], epochs: list[Epoch]) -> None:
        """Take over the counts, arrays and epochs of a checkpoint."""
        self.epoch, self.t, self.batch, self.loss_sum, self.plateau, self.waiting = counts
        for name, mine in self.arrays().items():
            mine[:] = arrays[name]
        self.history.epochs = epochs
        if self.waiting.epoch >= 0:
            self.best_was(self.waiting.epoch)
        self.keep_good()
