"""The base of classifier and regressor: fitting, weights in scikit-learn's shapes, masks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from thinnet.arithmetic import total_weight
from thinnet.arrays import Array, Ids, Rows, Samples, Share
from thinnet.engine.threads import limited
from thinnet.estimators import settings, validation, weights
from thinnet.estimators.activations import ACTIVATIONS
from thinnet.estimators.again import ReadsAgain
from thinnet.estimators.linked import LinkedWeights, link, linked
from thinnet.estimators.losses import strata, training_loss
from thinnet.estimators.parameters import MLPParameters
from thinnet.estimators.settings import STOCHASTIC
from thinnet.estimators.solvers import Momentary, Task, lbfgs, stochastic
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.philox import Purpose
from thinnet.training.data import Data, checked_data
from thinnet.training.sharing import fit_ended
from thinnet.uncertainty.draws.drawing import Drawer
from thinnet.uncertainty.draws.heads import Head


def takes_steps(estimator: MLP) -> Literal[True]:
    """AttributeError unless the solver takes steps, as partial_fit needs."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not "
            "stochastic."
        )
    return True


class MLP(MLPParameters, LinkedWeights, ReadsAgain, BaseEstimator):
    """The base of `MLPClassifier` and `MLPRegressor`, not for use by itself."""

    activation: str  # a field of the classes below
    n_outputs_: int

    _momentary: Momentary | None = None
    _no_improvement_count: int = 0

    @property
    @abstractmethod
    def head_(self) -> Head:
        """The head that gives the network's outputs their meaning."""

    @abstractmethod
    def _read_targets(self, y: Any, *, first: bool, incremental: bool) -> Array:
        """`y` in the form of the loss; the first time its classes or outputs are learned."""

    def _learn_noise(self, task: Task, *, incremental: bool) -> None:
        """Learn the noise around draws, which the spread of targets needs."""

    def _class_weights(self, y: Any, incremental: bool) -> Array | None:
        """The weight of each row's class."""
        return None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, eval_set: Any = None, incremental: bool = False
    ) -> None:
        settings.check(self)
        self._check_ways(incremental)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = validation.to_fit(self, self, X, y, reset=first)
        targets = self._read_targets(y, first=first, incremental=incremental)
        row_weights = self._row_weights(X, y, sample_weight, incremental)
        stream = check_random_state(self.random_state)
        if first or not hasattr(self, "network_"):
            self._bind(X, stream, self._weight(X, row_weights, eval_set), initialises=first)
        linked(self)
        self._count_anew(first, incremental)
        task = self._task(X, targets, row_weights, eval_set, stream)
        with limited(self.n_threads):
            if self.solver == "lbfgs":
                self.history_ = lbfgs(self, task)
            else:
                self.history_ = stochastic(self, task, stream, incremental=incremental)
            self._learn_noise(task, incremental=incremental)
        fit_ended(self.callbacks or (), self, [self.network_])

    def _check_ways(self, incremental: bool) -> None:
        """ValueError for settings that exclude each other."""
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.checkpoint is not None and (incremental or self.warm_start):
            which = "partial_fit" if incremental else "warm_start=True"
            raise ValueError(f"checkpoint must be None with {which}, got {self.checkpoint!r}")

    def _row_weights(self, X: Any, y: Any, given: Any, incremental: bool) -> Array | None:
        of_classes = self._class_weights(y, incremental)
        if given is None:
            return of_classes
        row_weights = _check_sample_weight(given, X, dtype=np.float64)
        return row_weights if of_classes is None else row_weights * of_classes

    def _weight(self, X: Any, row_weights: Array | None, eval_set: Any) -> float:
        """The weight of all training rows, nearly: some may be held out."""
        total = float(X.shape[0] if row_weights is None else total_weight(row_weights))
        held = self.early_stopping and eval_set is None
        return (total or 1.0) * (1 - self.validation_fraction if held else 1)

    def _bind(
        self, X: Any, stream: np.random.RandomState, weight: float, *, initialises: bool
    ) -> None:
        """Bind a network for `X`, with first weights unless some were assigned before."""
        assigned = None if initialises else (self.coefs_, self.intercepts_)
        self.network_ = Network(
            settings.layers(self, self.head_.width, weight),
            X.shape[1],
            seed=weights.mask_seed(self.random_state, stream),
            dtype=X.dtype,
        )
        if initialises:
            weights.initialise(self.network_, ACTIVATIONS[self.activation].factor, stream)
        link(self)
        if assigned is not None:
            self.coefs_, self.intercepts_ = assigned
        self.n_layers_ = len(weights.coefs(self.network_)) + 1
        self.out_activation_ = self.head_.activation

    def _count_anew(self, first: bool, incremental: bool) -> None:
        """Reset the counts and losses that scikit-learn keeps while it fits."""
        self.n_iter_ = 0
        if not incremental:
            self._momentary = None
        if first:
            self.t_, self._no_improvement_count = 0, 0
        if first or not hasattr(self, "best_validation_score_"):
            self.loss_curve_: list[float] = []
            self.best_loss_: float | None = np.inf
            self.validation_scores_: list[float] | None = None
            self.best_validation_score_: float | None = None
        if self.early_stopping and self.validation_scores_ is None:
            self.best_loss_ = None
            self.validation_scores_, self.best_validation_score_ = [], -np.inf

    def _task(
        self, X: Any, targets: Array, row_weights: Array | None, eval_set: Any, stream: Any
    ) -> Task:
        how = training_loss(self.head_, targets, row_weights)
        everything = np.arange(X.shape[0])
        kept, held = everything, None
        if eval_set is None and self.early_stopping and self.solver != "lbfgs":
            kept, held = self._split(targets, stream)

        def data(rows: Array) -> Data:
            part = slice(None) if rows is everything else rows
            of_rows = None if row_weights is None else row_weights[part]
            return checked_data(self.network_, how.loss, X[part], targets[part], of_rows, rows)

        validation = data(held) if held is not None else self._held_out(how.loss, eval_set)
        return Task(self.network_, how.loss, data(kept), validation, *how[1:])

    def _split(self, targets: Array, stream: Any) -> list[Array]:
        """The places of rows to train on and of rows for early stopping."""
        kept, held = train_test_split(
            np.arange(len(targets)),
            random_state=stream,
            test_size=self.validation_fraction,
            stratify=strata(self.head_, targets),
        )
        if len(held) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset (got {len(held)} of {len(targets)} rows)."
            )
        return [kept, held]

    def _held_out(self, loss: Loss, eval_set: Any) -> Data | None:
        if eval_set is None:
            return None
        X, y = settings.evaluation_pair(eval_set)
        X, y = validation.to_fit(self, self, X, y, reset=False)
        return checked_data(self.network_, loss, X, self.head_.targets(y), name="eval_set ")

    def _entering(self, X: Any) -> Any:
        """Checked rows in the form that the network takes."""
        X = validation.to_predict(self, X)
        linked(self)
        return X

    def _outputs(self, X: Any) -> Rows:
        """Raw outputs, shape (rows, n_outputs)."""
        X = self._entering(X)
        with limited(self.n_threads):
            return self.network_.outputs(X)

    def _drawer(self, X: Any) -> Drawer:
        return Drawer([self.network_], self._entering(X), self.n_threads)

    def masks(
        self,
        step: int,
        samples: Samples | None = None,
        purpose: Purpose = "train",
        *,
        share: Share = None,
    ) -> dict[int, Array]:
        """The units that dropout kept in a training step, recomputed: nothing is stored.

        Parameters
        ----------
        step : int
            The number of the optimiser step since the network was made, from 0.
        samples : sequence of int
            The rows, by their places in the X of fit; left out with ``share="batch"``.
        purpose : "train" or "predict"
            "predict" for the masks of draws; `step` is then the number of the draw.
        share : None or "batch"
            None: each row's own mask; "batch": the one mask for all rows of training with
            ``dropout_share="batch"``, or of draws with ``share="batch"``.

        Returns
        -------
        dict
            Its keys are 0 for the input and 1, 2, ... for the hidden layers, as in `keep_mask`.
            Its values are bool arrays of shape (len(samples), units), True where the unit was kept;
            with ``dropout_kind="dropconnect"`` of shape (next layer's units, units).

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if a coordinate is out of its range; with ``dropout_kind="gaussian"``,
            which drops nothing.

        Warns
        -----
        UnusedMaskWarning
            If training had no such step, or not on these rows (`rows` gives those of a step).
        """
        check_is_fitted(self)
        found = self.network_.masks(step=step, samples=samples, share=share, purpose=purpose)
        if not found:
            raise ValueError("the network must have layers that drop units, got Gaussian dropout")
        return found

    def rows(self, step: int) -> Ids:
        """The rows of a training step, recomputed, as by `Network.rows`.

        Parameters
        ----------
        step : int
            The number of the optimiser step since the network was made, from 0.

        Returns
        -------
        array of uint32
            The rows' places in the X of fit, in the order of the step.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the step was not taken, or its rows are not known.
        """
        check_is_fitted(self)
        return self.network_.rows(step)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def momentary(estimator: MLP) -> Momentary | None:
    """The optimiser's state that partial_fit goes on from, if it took the last step."""
    return estimator._momentary
