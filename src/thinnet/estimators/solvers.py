"""Training of an estimator's network: mini-batches, or L-BFGS over all rows at once."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize
from sklearn.exceptions import ConvergenceWarning

from thinnet.arrays import Flat
from thinnet.checks import DivergedError
from thinnet.estimators import settings
from thinnet.estimators.convergence import Convergence, Scale
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.network.logbook import Entry
from thinnet.network.row_order import Shuffles
from thinnet.passes import Run
from thinnet.training.checkpointing import Keeper
from thinnet.training.data import Data
from thinnet.training.history import Epoch, History
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.loop import INTERRUPTED, Loop, check_callbacks, left
from thinnet.training.penalties import add_penalty_gradient, penalty_value
from thinnet.training.plan import Plan
from thinnet.training.sharing import each_its_own
from thinnet.training.state import EPOCHS_DONE, Begin, TrainingState

CLEAN_ROWS = 1000  # rows that the training score is measured on without dropout
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Task(NamedTuple):
    """The data and the loss of an estimator's network, and the relation to scikit-learn's loss."""

    network: Network
    loss: Loss
    data: Data
    validation: Data | None
    loss_factor: float  # the factor of the mean loss in what a step descends
    scale: Scale  # the map from the mean loss to the reported one


class Momentary(NamedTuple):
    """The state of an optimiser between two calls of partial_fit."""

    kind: Hashable
    begin: Begin
    rate: float

    @classmethod
    def start(cls, plan: Plan, network: Network, rate: float) -> Momentary:
        return cls(_kind(plan, network), Begin(plan.optimizer.start(network.theta)), rate)


def _kind(plan: Plan, network: Network) -> Hashable:
    """All that must be the same for an optimiser's state to be taken over."""
    without_numbers = plan.optimizer.start(network.theta[:0])  # it has the parts of any state
    return type(plan.optimizer), network.theta.size, len(without_numbers)


def stochastic(
    estimator: Any, task: Task, stream: np.random.RandomState, *, incremental: bool
) -> History:
    """Train by mini-batches until `Convergence` stops; one epoch if `incremental`."""
    plan = _plan(estimator, task, 1 if incremental else estimator.max_iter)
    shuffles = Shuffles(task.data.n_rows, stream) if estimator.shuffle else None
    at = estimator._momentary
    if at is None or at.kind != _kind(plan, task.network):
        at = Momentary.start(plan, task.network, estimator.learning_rate_init)
    training = TrainingState(task.network, task.data, task.validation, plan, shuffles, at.begin)
    convergence = Convergence(estimator, training, task.scale, at.rate)
    try:
        _carry_out(estimator, training, convergence, warns=not incremental)
    except DivergedError as error:
        _diverged(estimator, error)
    now = Begin(training.optimizer_state, training.t)
    estimator._momentary = Momentary(at.kind, now, convergence.rate)
    return training.history


def _plan(estimator: Any, task: Task, epochs: int) -> Plan:
    rows = task.data.n_rows
    is_noisy = settings.drops(estimator) or estimator.batch_norm
    return Plan(
        loss=task.loss,
        optimizer=settings.optimizer(estimator),
        epochs=epochs,
        batch_size=_batch_size(estimator.batch_size, rows),
        shuffle=estimator.shuffle,
        accumulate=1,
        clip_norm=None,
        early_stopping=None,
        evaluate_every=1,
        clean_rows=CLEAN_ROWS if is_noisy else 0,
        checkpoint_every=1,
        loss_factor=task.loss_factor,
        penalty_per="step" if settings.learns_rates(estimator) else "row",
    )


def _batch_size(wanted: Any, rows: int) -> int:
    if wanted == "auto":
        return min(200, rows)
    if wanted > rows:
        warnings.warn(
            f"batch_size must be at most the {rows} rows, got {wanted}: all are one batch",
            UserWarning,
            stacklevel=2,
        )
    return int(min(wanted, rows))


def _carry_out(
    estimator: Any, training: TrainingState, convergence: Convergence, *, warns: bool
) -> None:
    callbacks = estimator.callbacks or ()
    check_callbacks(callbacks)
    (callbacks,) = each_its_own(callbacks, 1)
    keeper, history = Keeper(training, estimator.checkpoint), training.history
    if estimator.checkpoint is not None and Path(estimator.checkpoint).exists():
        keeper.resume()
        if reason := convergence.replay(history):
            training.stop(reason)
    if not history.stopped:
        title = type(estimator).__name__
        loop = Loop(training, [convergence, *callbacks], keeper)
        try:
            loop.advance(None, estimator.progress, title)
        except DivergedError as error:
            training.stop(str(error))
            left(callbacks, training, ended=True)
            raise
    if history.stopped == INTERRUPTED:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=2)
    elif warns and history.stopped == EPOCHS_DONE:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )


def _diverged(estimator: Any, error: DivergedError) -> None:
    """Warn if early stopping has best weights to go back to; else raise ValueError."""
    if not estimator.early_stopping:
        raise ValueError(f"{NOT_FINITE} ({error})") from error
    estimator.validation_scores_.append(float("nan"))
    warnings.warn(str(error), ConvergenceWarning, stacklevel=2)


class Objective:
    """The loss of all rows as a function of the parameters, with its gradient."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.weight = task.data.total(np.arange(task.data.n_rows))
        self.latest = np.nan  # the mean loss of the last call

    def __call__(self, theta: Flat) -> tuple[float, Flat]:
        network, loss, data, _, factor, _ = self._task
        network.theta[:] = theta
        run = Run.train(network.clock.step, data.ids)
        outputs, cache = network.forward(data.X, run)
        self.latest, slope = loss(outputs, data.targets, data.weights)
        network.backward(cache, slope * slope.dtype.type(factor))
        add_penalty_gradient(network, 1 / self.weight)
        value = factor * self.latest + self.penalty
        return value, network.gradient.astype(np.float64)

    @property
    def penalty(self) -> float:
        return penalty_value(self._task.network) / self.weight


def lbfgs(estimator: Any, task: Task) -> History:
    """Train by SciPy's L-BFGS-B, on all rows at once."""
    objective, history = Objective(task), History(task.loss.score_name)

    def note(intermediate_result: optimize.OptimizeResult) -> None:
        n = len(history)
        mean = (intermediate_result.fun - objective.penalty) / task.loss_factor
        history.epochs.append(Epoch(n, n, np.nan, mean, objective.penalty, np.nan))
        if estimator.verbose:
            print(f"Iteration {n + 1}, loss = {intermediate_result.fun:.8f}")
        if flag.interrupted:
            raise StopIteration

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"), InterruptFlag() as flag:
        found = optimize.minimize(
            objective,
            task.network.theta.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=note,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": estimator.max_iter,
                "gtol": estimator.tol,
            },
        )
    objective(found.x)
    if not np.isfinite(task.network.theta).all():
        raise ValueError(NOT_FINITE)
    _note_step(task.network, task.data)
    estimator.n_iter_ = min(found.nit, estimator.max_iter)
    estimator.loss_ = task.scale.factor * objective.latest + task.scale.constant + objective.penalty
    history.stopped = INTERRUPTED if flag.interrupted else str(found.message)
    _warn(estimator, found, flag.interrupted)
    return history


def _note_step(network: Network, data: Data) -> None:
    """Record the whole of L-BFGS as one step, on all rows."""
    n, step = data.n_rows, network.clock.step
    network.logbook.begin(Entry(step, 0, n, n, 1, "kept"))  # their ids are their places
    network.clock.step += 1
    network.logbook.end(step + 1, network)


def _warn(estimator: Any, found: optimize.OptimizeResult, interrupted: bool) -> None:
    if interrupted:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=2)
    elif found.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
            f"(status={found.status}): {found.message}; a larger max_iter or max_fun, or scaled "
            "data, may help",
            ConvergenceWarning,
            stacklevel=2,
        )
