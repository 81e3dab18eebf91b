"""A multilayer perceptron for numbers, with scikit-learn's parameters and its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from thinnet import checks
from thinnet.arrays import (
    Array,
    EvalSet,
    MatrixLike,
    TargetLike,
    VectorLike,
)
from thinnet.estimators.base import MLP, takes_steps
from thinnet.estimators.parameters import FITTED, PARAMETERS
from thinnet.estimators.predicting import PredictsNumbers
from thinnet.estimators.solvers import Task
from thinnet.losses.quantiles import LEVELS, checked_levels
from thinnet.network.summary import has_random_masks
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.heads import LOSSES, QUANTILE, NumberHead, check_learned, columns

LEAST_WEIGHT = 0.1  # the least weight of the latest rows in the noise that partial_fit learns


@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, MLP, PredictsNumbers):
    __doc__ = f"""A multilayer perceptron for numbers: scikit-learn's MLPRegressor, with dropout.

    One target a row, or several.

    Parameters
    ----------
    loss : {{'squared_error', 'poisson', 'gaussian_nll', 'quantile'}}, default='squared_error'
        Half the squared error, or half the Poisson deviance of targets >= 0, where the network's
        output is the log of the mean.  'gaussian_nll': the network also learns the noise of each
        row's target (Nix and Weigend 1994), for targets of about unit size.  'quantile': it learns
        quantiles of the target (Koenker and Bassett 1978), and `predict` gives the median.
    precision : float or None, default=None
        With 'squared_error' and dropout: ``1 / variance`` of the noise around the draws, tau of
        Gal and Ghahramani 2016, in the target's own units.  None: learned by maximum likelihood
        from held-out rows if there are any, else from training rows, where it may be too high.
    quantile : float or sequence of float, default=(0.05, 0.25, 0.5, 0.75, 0.95)
        With 'quantile' the levels, ascending in (0, 1).  With one level `predict` gives that
        quantile, and there are no error bars.
    {PARAMETERS}

    Attributes
    ----------
    noise_ : array, shape (n_outputs,)
        Standard deviation of the noise, ``precision ** -0.5``; with 'squared_error' and dropout.
    {FITTED}

    Raises
    ------
    ValueError
        In fit, if a parameter is out of its range or the data can't be used.

    References
    ----------
    Srivastava et al. 2014, "Dropout"; Glorot and Bengio 2010 (first weights); Kingma and Ba 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import MLPRegressor
    >>> X = np.random.default_rng(0).uniform(-2, 2, (500, 2))
    >>> y = X[:, 0] * X[:, 1]
    >>> model = MLPRegressor(dropout=0.05, max_iter=1000, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    loss: str = "squared_error"
    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str = "relu"
    _: KW_ONLY
    precision: float | None = None
    quantile: float | Sequence[float] = LEVELS

    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        eval_set: EvalSet = None,
    ) -> MLPRegressor:
        """Train.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)
            Finite numbers.
        y : array, shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers; with ``loss="poisson"`` at least 0.
        sample_weight : array, shape (n_samples,), optional
            At least 0.
        eval_set : (X, y), optional
            Held-out rows: they are measured after each epoch, and early stopping watches them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not as above.
        """
        self._fit(X, y, sample_weight, eval_set)
        return self

    @available_if(takes_steps)
    def partial_fit(
        self, X: MatrixLike, y: TargetLike, sample_weight: VectorLike | None = None
    ) -> MLPRegressor:
        """Train for one epoch on these rows, going on from the last call.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not as above, or with early stopping.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    @property
    def head_(self) -> NumberHead:
        """The head that makes numbers and their noise of the network's outputs."""
        check_learned(self, "n_outputs_")
        levels = checked_levels("quantile", self.quantile) if self.loss == QUANTILE else ()
        return NumberHead(self.loss, self.n_outputs_, vars(self).get("noise_"), levels=levels)

    def _read_targets(self, y: TargetLike, *, first: bool, incremental: bool) -> Array:
        checks.one_of("loss", self.loss, (*LOSSES, QUANTILE))
        checked_levels("quantile", self.quantile)
        if self.precision is not None:
            checks.positive("precision", self.precision)
        targets = columns(y)
        if first:
            self.n_outputs_ = targets.shape[1]
        return targets

    def _learn_noise(self, task: Task, *, incremental: bool) -> None:
        before = self.__dict__.pop("noise_", None)
        if self.loss != "squared_error" or not has_random_masks(task.network):
            return
        if self.precision is not None:
            self.noise_ = np.full(self.n_outputs_, 1 / math.sqrt(self.precision))
            return
        rows = task.validation or task.data
        rows = rows.part(noise.some_rows(rows.n_rows, rows.weights))
        centers = task.network.sample(rows.X, noise.N_DRAWS, progress=False).astype(np.float64)
        self.noise_ = noise.noise_of(centers, rows.targets, rows.weights)
        if incremental and before is not None:
            weight = max(task.data.n_rows / self.t_, LEAST_WEIGHT)
            self.noise_ = np.sqrt(weight * self.noise_**2 + (1 - weight) * before**2)

    def _means_of(self, X: MatrixLike) -> Array:
        outputs = self._outputs(X)
        return self.head_.squeezed(self.head_.predict(outputs))
