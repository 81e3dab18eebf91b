"""A multilayer perceptron for numbers, with scikit-learn's parameters and its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from thinnet import checks
from thinnet.arrays import (
    Array,
    EvalSet,
    MatrixLike,
    Predicted,
    RandomState,
    Samples,
    Share,
    TargetLike,
    VectorLike,
)
from thinnet.estimators.base import MLP, Goal, takes_steps
from thinnet.estimators.convergence import Scale
from thinnet.estimators.parameters import FITTED, PARAMETERS
from thinnet.estimators.solvers import Task
from thinnet.losses import GaussianNLL, Poisson, SquaredError
from thinnet.network.summary import draws
from thinnet.training.loop import Callback
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.drawing import How
from thinnet.uncertainty.draws.mixtures import (
    Gaussians,
    Mixture,
    OwnUnits,
    Poissons,
    with_own_noise,
)
from thinnet.uncertainty.draws.numbers import DrawnNumbers

LEAST_SHARE = 0.1  # of the latest rows, in the noise that partial_fit has learned
LOSSES = ("squared_error", "poisson", "gaussian_nll")


class MLPRegressor(RegressorMixin, MLP, DrawnNumbers):
    __doc__ = f"""A multilayer perceptron for numbers: scikit-learn's MLPRegressor, with dropout.

    One target a row, or several.

    Parameters
    ----------
    loss : {{'squared_error', 'poisson', 'gaussian_nll'}}, default='squared_error'
        Half the squared error, or half the Poisson deviance of targets >= 0, where the network's
        output is the log of the mean.  'gaussian_nll': the network also learns how noisy each
        row's target is (Nix and Weigend 1994), for targets of about unit size.
    precision : float or None, default=None
        With 'squared_error' and dropout: ``1 / variance`` of the noise around the draws, tau of
        Gal and Ghahramani 2016, in the target's own units.  None: learned by maximum likelihood
        from held-out rows if there are any, else from training rows, where it may be too high.
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

    _y_is_numeric: ClassVar[bool] = True

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        dropout_share: str | None = None,
        dropout_kind: str = "bernoulli",
        n_masks: int = 4,
        batch_norm: bool = False,
        l1: float = 0.0,
        max_norm: float | None = None,
        precision: float | None = None,
        dtype: str | None = None,
        callbacks: Sequence[Callback] | None = None,
        progress: bool | None = False,
        checkpoint: str | os.PathLike[str] | None = None,
        n_threads: int | None = None,
    ) -> None:
        # Whatever they are: scikit-learn sets them freely, and fit checks them.
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.dropout_share = dropout_share
        self.dropout_kind = dropout_kind
        self.n_masks = n_masks
        self.batch_norm = batch_norm
        self.l1 = l1
        self.max_norm = max_norm
        self.precision = precision
        self.dtype = dtype
        self.callbacks = callbacks
        self.progress = progress
        self.checkpoint = checkpoint
        self.n_threads = n_threads

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
            Held-out rows: measured after each epoch, and what early stopping watches.

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
        """One epoch over these rows, from where the last call left off.

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

    def _read_targets(self, y: TargetLike, *, first: bool, incremental: bool) -> Array:
        checks.one_of("loss", self.loss, LOSSES)
        if self.precision is not None:
            checks.positive("precision", self.precision)
        targets = self._targets(y)
        if first:
            self.n_outputs_ = targets.shape[1]
        return targets

    def _targets(self, y: TargetLike) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _goal(self, targets: Array, sample_weight: Array | None) -> Goal:
        outputs = float(self.n_outputs_)
        if self.loss == "squared_error":
            return Goal(SquaredError(), outputs / 2, Scale(0.5))
        if self.loss == "gaussian_nll":
            return Goal(GaussianNLL(), outputs, Scale(outputs))
        # scikit-learn's deviance is 0 for a perfect fit; the likelihood is not.
        if (targets < 0).any():
            raise ValueError(f"y must be >= 0 with loss='poisson', got {targets.min():g}")
        perfect = special.xlogy(targets, targets) - targets - special.gammaln(targets + 1)
        constant = np.average(perfect.sum(axis=1), weights=sample_weight)
        return Goal(Poisson(), outputs, Scale(outputs, float(constant)))

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _n_network_outputs(self) -> int:
        return self.n_outputs_ * (2 if self.loss == "gaussian_nll" else 1)

    def _learn_noise(self, task: Task, *, incremental: bool) -> None:
        before = self.__dict__.pop("noise_", None)
        if self.loss != "squared_error" or not draws(task.network):
            return
        if self.precision is not None:
            self.noise_ = np.full(self.n_outputs_, self.precision**-0.5)
            return
        rows = task.validation or task.data
        rows = rows.part(noise.some_rows(rows.n_rows, rows.weights))
        centers = task.network.sample(rows.X, noise.N_DRAWS, progress=False).astype(np.float64)
        self.noise_ = noise.noise_of(centers, rows.targets, rows.weights)
        if incremental and before is not None:
            share = max(task.data.n_rows / self.t_, LEAST_SHARE)
            self.noise_ = np.sqrt(share * self.noise_**2 + (1 - share) * before**2)

    def _mixture(self, outputs: Array) -> Mixture:
        if self.loss == "poisson":
            return Poissons(np.exp(outputs.astype(np.float64)))
        if self.loss == "gaussian_nll":
            return with_own_noise(outputs, OwnUnits())
        return Gaussians(outputs.astype(np.float64), self.noise_, OwnUnits())

    def _known(self, y: TargetLike) -> Array:
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        y = self._of_width(self._targets(y))
        if self.loss == "poisson" and (bad := (y < 0) | (y != np.floor(y))).any():
            got = f"{y[bad][0]:g} in row {int(np.argwhere(bad)[0][0])}"
            raise ValueError(f"y must hold whole numbers >= 0 with loss='poisson', got {got}")
        return y

    def _class_weights(self, y: TargetLike, incremental: bool) -> Array | None:
        return None

    def _strata(self, targets: Array) -> Array | None:
        return None

    def predict(
        self,
        X: MatrixLike,
        return_std: bool = False,
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Predicted:
        """The mean of each row's target, dropout off; or over draws, with error bars.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)
        return_std : bool, default=False
            Return the mean over draws with dropout on, and the standard deviation of a new target.
        n_draws, seed, share, samples, tolerance, progress
            With `return_std`: as for `uncertainty`.

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_outputs); or two of them

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted; if nothing draws.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress)
        if (both := self._mean_and_std(X, return_std, how)) is not None:
            return both
        outputs = self._outputs(X)
        y = np.exp(outputs) if self.loss == "poisson" else outputs[:, : self.n_outputs_]
        return y[:, 0] if self.n_outputs_ == 1 else y
