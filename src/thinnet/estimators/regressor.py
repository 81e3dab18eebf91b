"""A multilayer perceptron for numbers, with scikit-learn's parameters and its own."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import special
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from thinnet import checks
from thinnet.arrays import Array
from thinnet.estimators.base import MLP, Goal, takes_steps
from thinnet.estimators.convergence import Scale
from thinnet.estimators.parameters import FITTED, PARAMETERS
from thinnet.losses import Poisson, SquaredError

LOSSES = ("squared_error", "poisson")


class MLPRegressor(RegressorMixin, MLP):
    __doc__ = f"""A multilayer perceptron for numbers: scikit-learn's MLPRegressor, with dropout.

    One target a row, or several.

    Parameters
    ----------
    loss : {{'squared_error', 'poisson'}}, default='squared_error'
        Half the squared error, or half the Poisson deviance of targets >= 0, where the network's
        output is the log of the mean.
    {PARAMETERS}

    Attributes
    ----------
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
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        dropout: Any = 0.0,
        input_dropout: Any = 0.0,
        dropout_share: Any = None,
        batch_norm: Any = False,
        l1: Any = 0.0,
        max_norm: Any = None,
        dtype: Any = None,
        callbacks: Any = None,
        progress: Any = False,
        checkpoint: Any = None,
        n_threads: Any = None,
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
        self.batch_norm = batch_norm
        self.l1 = l1
        self.max_norm = max_norm
        self.dtype = dtype
        self.callbacks = callbacks
        self.progress = progress
        self.checkpoint = checkpoint
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> MLPRegressor:
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
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

    def _read_targets(self, y: Any, *, first: bool, incremental: bool) -> Array:
        checks.one_of("loss", self.loss, LOSSES)
        targets = self._targets(y)
        if first:
            self.n_outputs_ = targets.shape[1]
        return targets

    def _targets(self, y: Any) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _goal(self, targets: Array, sample_weight: Array | None) -> Goal:
        outputs = float(self.n_outputs_)
        if self.loss == "squared_error":
            return Goal(SquaredError(), outputs / 2, Scale(0.5))
        # scikit-learn's deviance is 0 for a perfect fit; the likelihood is not.
        if (targets < 0).any():
            raise ValueError(f"y must be >= 0 with loss='poisson', got {targets.min():g}")
        perfect = special.xlogy(targets, targets) - targets - special.gammaln(targets + 1)
        constant = np.average(perfect.sum(axis=1), weights=sample_weight)
        return Goal(Poisson(), outputs, Scale(outputs, float(constant)))

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _class_weights(self, y: Any, incremental: bool) -> Array | None:
        return None

    def _strata(self, targets: Array) -> Array | None:
        return None

    def predict(self, X: Any) -> Array:
        """The mean of each row's target, dropout off.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted.
        """
        outputs = self._outputs(X)
        y = np.exp(outputs) if self.loss == "poisson" else outputs
        return y[:, 0] if self.n_outputs_ == 1 else y
