"""scikit-learn's rule for when an MLP has converged, as a callback of the training loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arithmetic import power
from thinnet.training.history import Epoch, History
from thinnet.training.state import TrainingState

LEAST_RATE: Final = 1e-6  # an adaptive learning rate of at most this ends training
CUT: Final = 5.0


class Scale(NamedTuple):
    """The map from the mean loss of `thinnet.losses` to the one that scikit-learn reports."""

    factor: float = 1.0
    constant: float = 0.0


class Convergence:
    """Keeps the counts and losses of scikit-learn's MLP, in the attributes of an estimator.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    training : TrainingState
    scale : Scale
    rate : float
        The learning rate to begin with.
    """

    def __init__(self, estimator: Any, training: TrainingState, scale: Scale, rate: float) -> None:
        self._estimator, self._training, self._scale = estimator, training, scale
        self._penalty = training.penalty()
        self._set_rate(rate)
        if estimator.early_stopping:
            training.keep_best(-1)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._estimator.learning_rate_init * self._training.plateau.scale)

    def _set_rate(self, rate: float) -> None:
        self._training.scale_learning_rate(rate / self._estimator.learning_rate_init)

    def replay(self, history: History) -> str:
        """Count the epochs from a checkpoint; return the reason to stop among them, if any."""
        verbose, self._estimator.verbose = self._estimator.verbose, False
        try:
            reasons = [self._kept_if_best(epoch, self._training.best_was) for epoch in history]
        finally:
            self._estimator.verbose = verbose
        return reasons[-1] if reasons else ""

    def on_epoch_end(self, training: TrainingState) -> str:
        return self._kept_if_best(training.history.last, training.keep_best)

    def _kept_if_best(self, epoch: Epoch, keep: Callable[[int], None]) -> str:
        """Count an epoch; if its validation score is the best so far, `keep` its number."""
        before = self._estimator.best_validation_score_
        reason = self._count(epoch)
        if self._estimator.best_validation_score_ != before:
            keep(epoch.epoch)
        return reason

    def _count(self, epoch: Epoch) -> str:
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self._training.data.n_rows
        estimator.loss_ = self._loss(epoch)
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if estimator.early_stopping:
            self._watch_score(epoch.validation_score)
        else:
            self._watch_loss(self._watched(epoch))
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            cut = power(float(estimator.t_ + 1), float(estimator.power_t))
            self._set_rate(estimator.learning_rate_init / cut)
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return ""
        return self._waited_enough()

    def _loss(self, epoch: Epoch) -> float:
        """The mean loss of the epoch's steps with penalties, which are taken to change evenly."""
        steps = len(self._training.slices)
        before, self._penalty = self._penalty, epoch.penalty
        penalty = before + (epoch.penalty - before) * (steps - 1) / (2 * steps)
        return self._reported(epoch.loss) + penalty

    def _watched(self, epoch: Epoch) -> float:
        """The loss to watch: with dropout the one without, as noise would end training early."""
        if math.isnan(epoch.clean_loss):
            return float(self._estimator.loss_)
        return self._reported(epoch.clean_loss) + epoch.penalty

    def _reported(self, mean: float) -> float:
        return self._scale.factor * mean + self._scale.constant

    def _watch_loss(self, loss: float) -> None:
        estimator = self._estimator
        worse = loss > estimator.best_loss_ - estimator.tol
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0
        estimator.best_loss_ = min(loss, estimator.best_loss_)

    def _watch_score(self, score: float) -> None:
        estimator = self._estimator
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        worse = score < estimator.best_validation_score_ + estimator.tol
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0
        estimator.best_validation_score_ = np.fmax(score, estimator.best_validation_score_)

    def _waited_enough(self) -> str:
        """The reason to stop; "" if the learning rate is cut instead."""
        estimator = self._estimator
        what = "Validation score" if estimator.early_stopping else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        if estimator.solver != "sgd" or estimator.learning_rate != "adaptive":
            return self._print(f"{message} Stopping.")
        if self.rate <= LEAST_RATE:
            return self._print(f"{message} Learning rate too small. Stopping.")
        self._set_rate(self.rate / CUT)
        estimator._no_improvement_count = 0
        self._print(f"{message} Setting learning rate to {self.rate:f}")
        return ""

    def _print(self, words: str) -> str:
        if self._estimator.verbose:
            print(words)
        return words
