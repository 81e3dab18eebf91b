"""What the classifier and the regressor share: fitting, weights in scikit-learn's shapes, masks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from thinnet.arrays import Array, Ids, Rows, Samples, Share
from thinnet.engine.threads import limited
from thinnet.estimators import settings, validation, weights
from thinnet.estimators.convergence import Scale
from thinnet.estimators.settings import STOCHASTIC
from thinnet.estimators.solvers import Momentary, Task, lbfgs, stochastic
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.philox import Purpose
from thinnet.training.data import Data, checked_data
from thinnet.uncertainty.draws.drawing import Drawer


class Goal(NamedTuple):
    """What a network learns: its loss, and how that relates to scikit-learn's."""

    loss: Loss
    loss_factor: float = 1.0
    scale: Scale = Scale()


def takes_steps(estimator: MLP) -> Literal[True]:
    """partial_fit is there for solvers that take steps; AttributeError for others."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {estimator.solver} is not "
            "stochastic."
        )
    return True


class MLP(BaseEstimator):
    """Not for use by itself: `MLPClassifier` and `MLPRegressor`."""

    solver: str  # this and the others below are of the constructors, which have their own texts
    activation: str
    batch_size: Any
    random_state: Any
    max_iter: int
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    dtype: str | None
    n_threads: int | None
    checkpoint: Any
    n_outputs_: int

    _y_is_numeric: ClassVar[bool] = False
    _momentary: Momentary | None = None
    _no_improvement_count: int = 0

    @abstractmethod
    def _read_targets(self, y: Any, *, first: bool, incremental: bool) -> Array:
        """`y` as the loss takes it; what there is to know of it is learned the first time."""

    @abstractmethod
    def _targets(self, y: Any) -> Array:
        """`y` as the loss takes it, by what was learned before."""

    @abstractmethod
    def _goal(self, targets: Array, sample_weight: Array | None) -> Goal: ...

    def _n_network_outputs(self) -> int:
        return int(self.n_outputs_)

    def _learn_noise(self, task: Task, *, incremental: bool) -> None:
        """What draws say about the spread of targets needs to be known of the noise around them."""

    @abstractmethod
    def _out_activation(self) -> str: ...

    @abstractmethod
    def _class_weights(self, y: Any, incremental: bool) -> Array | None:
        """For each row the weight of its class."""

    @abstractmethod
    def _strata(self, targets: Array) -> Array | None:
        """What a held-out part shall have the same shares of."""

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
            self._bind(X, stream, self._weight(X, row_weights, eval_set), draw=first)
        self._take_assigned()
        self._count_anew(first, incremental)
        task = self._task(X, targets, row_weights, eval_set, stream)
        with limited(self.n_threads):
            if self.solver == "lbfgs":
                self.history_ = lbfgs(self, task)
            else:
                self.history_ = stochastic(self, task, stream, incremental=incremental)
            self._learn_noise(task, incremental=incremental)

    def _check_ways(self, incremental: bool) -> None:
        """Settings that exclude each other."""
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
        """Of all rows that are learned from, about: some may be held out."""
        total = float(X.shape[0] if row_weights is None else row_weights.sum())
        held = self.early_stopping and eval_set is None
        return (total or 1.0) * (1 - self.validation_fraction if held else 1)

    def _bind(self, X: Any, stream: np.random.RandomState, weight: float, *, draw: bool) -> None:
        """A network for `X`; its weights are drawn, unless they have been assigned before."""
        assigned = None if draw else (self.coefs_, self.intercepts_)
        self.network_ = Network(
            settings.layers(self, self._n_network_outputs(), weight),
            X.shape[1],
            seed=weights.mask_seed(self.random_state, stream),
            dtype=X.dtype,
        )
        if draw:
            weights.draw(self.network_, self.activation, stream)
        self._link()
        if assigned is not None:
            self.coefs_, self.intercepts_ = assigned
        self.n_layers_ = len(self._own_coefs) + 1
        self.out_activation_ = self._out_activation()

    def _count_anew(self, first: bool, incremental: bool) -> None:
        """The figures that scikit-learn keeps while it fits."""
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
        goal = self._goal(targets, row_weights)
        everything = np.arange(X.shape[0])
        kept, held = everything, None
        if eval_set is None and self.early_stopping and self.solver != "lbfgs":
            kept, held = self._split(targets, stream)

        def data(rows: Array) -> Data:
            part = slice(None) if rows is everything else rows
            of_rows = None if row_weights is None else row_weights[part]
            return checked_data(self.network_, goal.loss, X[part], targets[part], of_rows, rows)

        validation = data(held) if held is not None else self._held_out(goal.loss, eval_set)
        return Task(self.network_, goal.loss, data(kept), validation, *goal[1:])

    def _split(self, targets: Array, stream: Any) -> list[Array]:
        """Rows to train on, rows to stop by."""
        kept, held = train_test_split(
            np.arange(len(targets)),
            random_state=stream,
            test_size=self.validation_fraction,
            stratify=self._strata(targets),
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
        return checked_data(self.network_, loss, X, self._targets(y), name="eval_set ")

    def _entering(self, X: Any) -> Any:
        """Rows as the network takes them."""
        X = validation.to_predict(self, X)
        self._take_assigned()
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
        """Which units dropout kept in a training step, recomputed: nothing was stored.

        Parameters
        ----------
        step : int
            Of all optimiser steps since the network was made, from 0.
        samples : sequence of int
            Rows, by their place in the X that was fitted; left out with ``share="batch"``.
        purpose : "train" or "predict"
            "predict" for the masks of draws, by their number.
        share : None or "batch"
            None: each row's own mask; "batch": the one mask for all rows of training with
            ``dropout_share="batch"``, or of draws with ``share="batch"``.

        Returns
        -------
        dict
            For the input (0) and each hidden layer (1, 2, ...), the numbers of `keep_mask`, a bool
            array of shape (len(samples), units), True where the unit was kept; with ``dropout_kind=
            "dropconnect"`` of shape (next layer's units, units), True where the weight was kept.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if a coordinate is out of its range; with ``dropout_kind="gaussian"``,
            which drops nothing.

        Warns
        -----
        UnusedMaskWarning
            If training had no such step, or not on these rows: `rows` tells on which.
        """
        check_is_fitted(self)
        found = self.network_.masks(step=step, samples=samples, share=share, purpose=purpose)
        if not found:
            raise ValueError("the network must have layers that drop units, got Gaussian dropout")
        return found

    def rows(self, step: int) -> Ids:
        """Which rows a training step was taken on, recomputed, as `Network.rows`.

        Parameters
        ----------
        step : int
            Of all optimiser steps since the network was made, from 0.

        Returns
        -------
        array of uint32
            Places in the X that was fitted, in their order in the step.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the step was not taken, or its rows are not known.
        """
        check_is_fitted(self)
        return self.network_.rows(step)

    @property
    def coefs_(self) -> list[Any]:
        """Weights of each layer, shape (n_in, n_out); may be assigned, whole or one by one."""
        return self._attribute("_coefs")

    @coefs_.setter
    def coefs_(self, value: Sequence[Any]) -> None:
        self._coefs = value

    @property
    def intercepts_(self) -> list[Any]:
        """Biases of each layer, shape (n_out,); may be assigned, whole or one by one."""
        return self._attribute("_intercepts")

    @intercepts_.setter
    def intercepts_(self, value: Sequence[Any]) -> None:
        self._intercepts = value

    def _attribute(self, name: str) -> Any:
        if name not in vars(self):
            raise AttributeError(f"{type(self).__name__} has {name[1:]}_ only after fit")
        return vars(self)[name]

    def _link(self) -> None:
        """Show the network's own arrays as `coefs_` and `intercepts_`."""
        self._own_coefs = tuple(weights.coefs(self.network_))
        self._own_intercepts = tuple(weights.intercepts(self.network_))
        self._coefs, self._intercepts = list(self._own_coefs), list(self._own_intercepts)

    def _take_assigned(self) -> None:
        """What somebody has put into `coefs_` and `intercepts_` becomes the network's."""
        weights.assign("coefs_", self._own_coefs, self._coefs)
        weights.assign("intercepts_", self._own_intercepts, self._intercepts)
        self._coefs, self._intercepts = list(self._own_coefs), list(self._own_intercepts)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __getstate__(self) -> dict[str, Any]:
        """Views do not survive a copy: they are made anew around the copied network."""
        if self.__sklearn_is_fitted__():
            self._take_assigned()
        views = {"_own_coefs", "_own_intercepts", "_coefs", "_intercepts"}
        left_out = views if self.__sklearn_is_fitted__() else set()
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.__sklearn_is_fitted__():
            self._link()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
