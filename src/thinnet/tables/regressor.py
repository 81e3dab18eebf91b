"""Numbers from a mixed table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d

from thinnet import checks
from thinnet.arrays import (
    Array,
    EvalSet,
    Predicted,
    RandomState,
    Samples,
    Share,
    TableLike,
    TargetLike,
    VectorLike,
)
from thinnet.losses import GaussianNLL, Loss, SquaredError
from thinnet.network import Network
from thinnet.tables import calibrating
from thinnet.tables.base import TableEstimator
from thinnet.tables.columns import amounts
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.members import Lesson, Rows, held_out_draws
from thinnet.tables.parameters import FITTED, PARAMETERS
from thinnet.tables.targeting import check_there
from thinnet.tables.targets import TargetScale
from thinnet.training.loop import Callback
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.drawing import How
from thinnet.uncertainty.draws.mixtures import Gaussians, Mixture, with_own_noise
from thinnet.uncertainty.draws.numbers import DrawnNumbers
from thinnet.uncertainty.draws.shapes import Calibrated

LOSSES: Final[dict[str, Loss]] = {"squared_error": SquaredError(), "gaussian_nll": GaussianNLL()}


class TableRegressor(RegressorMixin, TableEstimator, DrawnNumbers):
    __doc__ = f"""Numbers from a table with numbers, categories, dates, texts and holes, as it is.

    The target is standardised; a skewed one that is never negative is learned as a logarithm.

    Parameters
    ----------
    {PARAMETERS}
    loss : {{'squared_error', 'gaussian_nll'}}, default='squared_error'
        'gaussian_nll': the networks also learn how noisy each row's target is (Nix and Weigend
        1994); else the noise is the same for all rows, learned from those held out.
    calibrated : bool, default=True
        Bring quantiles, intervals, standard deviations and likelihoods to what the rows held out
        say of the size and the shape of errors; else noise is Gaussian.

    Attributes
    ----------
    {FITTED}
    noise_ : array, shape (n_outputs,)
        Standard deviation of the noise around draws, in the units of `target_scale_`; with
        'squared_error'.
    calibration_ : Calibration
        The shape of errors on the rows held out, and how its intervals held there; if calibrated.
    target_scale_ : TargetScale
        Between the target's own units and those of the networks.
    n_outputs_ : int
        Targets of a row.

    Raises
    ------
    ValueError
        In fit, if a parameter is out of its range or the table can't be used.
    DataFileError
        If a file can't be read.

    References
    ----------
    Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning";
    Srivastava et al. 2014; Loshchilov and Hutter 2019.  Calibration: Kuleshov, Fenner and Ermon
    2018, "Accurate uncertainties for deep learning using calibrated regression"; errors in
    standard deviations: Lei et al. 2018, section 5.2; smearing: Duan 1983.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from thinnet import TableRegressor
    >>> table = pd.DataFrame({{"x": np.linspace(-3, 3, 300), "sign": ["plus", "minus"] * 150}})
    >>> y = np.sin(table["x"]) * np.where(table["sign"] == "plus", 1, -1)
    >>> model = TableRegressor(random_state=0).fit(table, y)
    >>> model.score(table, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        activation: str = "relu",
        *,
        dropout: float | Sequence[float] = 0.3,
        input_dropout: float = 0.1,
        dropout_share: str | None = None,
        batch_norm: bool = False,
        n_networks: int = 5,
        learning_rate_init: float = 0.001,
        weight_decay: float = 0.01,
        batch_size: int | str = "auto",
        max_iter: int = 500,
        n_iter_no_change: float = 20,
        validation_fraction: float = 0.15,
        loss: str = "squared_error",
        calibrated: bool = True,
        kinds: Mapping[str, str] | None = None,
        missing: Sequence[str] = (),
        encoder: TableEncoder | None = None,
        dtype: str = "float32",
        random_state: RandomState = None,
        callbacks: Sequence[Callback] | None = None,
        progress: bool | None = False,
        n_threads: int | None = None,
    ) -> None:
        # Whatever they are: scikit-learn sets them freely, and fit checks them.
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.dropout_share = dropout_share
        self.batch_norm = batch_norm
        self.n_networks = n_networks
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.loss = loss
        self.calibrated = calibrated
        self.kinds = kinds
        self.missing = missing
        self.encoder = encoder
        self.dtype = dtype
        self.random_state = random_state
        self.callbacks = callbacks
        self.progress = progress
        self.n_threads = n_threads

    def fit(
        self, X: TableLike, y: TargetLike, eval_set: EvalSet = None, whole: TableLike = None
    ) -> TableRegressor:
        """Train.

        Parameters
        ----------
        X : path, data frame or array, shape (rows, columns)
            A CSV or Parquet file, a frame of pandas or polars, or an array.
        y : str, list of str, or array, shape (rows,) or (rows, n_outputs)
            The name of the column with the target, names of several, or the targets: finite
            numbers, or texts such as "$1,023.45".  Rows whose named target is missing are left out.
        eval_set : (X, y), optional
            Held-out rows that all networks stop by; then each learns from all of `X`.
        whole : data frame or array, optional
            The table of which X is a part: what its columns are is decided on all of it.

        Returns
        -------
        self
        """
        checks.one_of("loss", self.loss, tuple(LOSSES))
        checks.boolean("calibrated", self.calibrated)
        self._fit(X, y, eval_set, whole)
        return self

    def score(self, X: TableLike, y: TargetLike, sample_weight: VectorLike | None = None) -> float:
        """The coefficient of determination R^2 of `predict`.

        Parameters
        ----------
        X : as for `predict`
        y : as for `fit`
            Names of columns of `X` too; then rows without a target are left out.
        sample_weight : array, shape (rows,), optional

        Returns
        -------
        float
        """
        found = self._targeted(X, y)
        check_there(found.y)
        numbers = self._numbers(found.y)
        return float(super().score(found.X, numbers, found.weights(sample_weight)))

    def _read_targets(self, y: TargetLike) -> Array:
        if (decimals := amounts.decimals_needed(y)) is not None:
            self.target_decimal_ = decimals
        numbers = self._numbers(y)
        self.n_outputs_ = numbers.shape[1]
        self.target_scale_ = TargetScale.of(numbers)
        return self.target_scale_.forward(numbers)

    def _target_notes(self, y: TargetLike) -> tuple[str, ...]:
        numbers = self._numbers(y)
        columns = np.asarray(y).reshape(numbers.shape).T
        marks = self.target_decimal_ or amounts.PLAIN * len(columns)
        said = map(amounts.reading_text, columns, numbers.T, marks)
        return tuple(f"target {words}" for words in said if words)

    def _numbers(self, y: TargetLike) -> Array:
        y = amounts.plain(y, self.target_decimal_)
        numbers = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if numbers.ndim == 2 and numbers.shape[1] == 1:
            numbers = column_or_1d(numbers, warn=True)
        return numbers.reshape(len(numbers), -1)

    def _targets(self, y: TargetLike) -> Array:
        return self.target_scale_.forward(self._numbers(y))

    def _loss(self) -> Loss:
        return LOSSES[self.loss]

    def _learn_noise(self, lessons: list[Lesson]) -> None:
        if self.loss == "squared_error":
            centers, y = held_out_draws(self.networks_, lessons)
            self.noise_ = noise.noise_of(centers, y)

    def _calibrate(self, lessons: list[Lesson], stopped: list[Network], held: Rows | None) -> None:
        if not self.calibrated:
            return
        if held is not None:
            found = calibrating.of_others(self._plain_mixture, held, self.networks_)
        else:
            parts = [lesson.held for lesson in lessons if lesson.held is not None]
            found = calibrating.of_folds(self._plain_mixture, parts, stopped, self.networks_)
        if found is not None:
            self.calibration_ = found

    def _mixture(self, outputs: Array) -> Mixture:
        plain, learned = self._plain_mixture(outputs), getattr(self, "calibration_", None)
        return plain if learned is None else Calibrated.of(plain, learned.shape)

    def _plain_mixture(self, outputs: Array) -> Gaussians:
        if self.loss == "gaussian_nll":
            return with_own_noise(outputs, self.target_scale_)
        return Gaussians(outputs.astype(np.float64), self.noise_, self.target_scale_)

    def _known(self, y: TargetLike) -> Array:
        return self._of_width(self._numbers(y))

    def _weights(self, y: TargetLike) -> Array | None:
        return None

    def _n_network_outputs(self) -> int:
        return self.n_outputs_ * (2 if self.loss == "gaussian_nll" else 1)

    def predict(
        self,
        X: TableLike,
        return_std: bool = False,
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Predicted:
        """The target of each row, the mean over the networks, dropout off; or with error bars.

        Parameters
        ----------
        X : path, data frame or array, shape (rows, columns)
            The columns of the table that was fitted, in any order; others are ignored.
        return_std : bool, default=False
            Return the mean over draws with dropout on, and the standard deviation of a new target.
        n_draws, seed, share, samples, tolerance, progress
            With `return_std`: as for `uncertainty`.

        Returns
        -------
        array, shape (rows,) or (rows, n_outputs); or two of them
            In the target's own units.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress)
        if (both := self._mean_and_std(X, return_std, how)) is not None:
            return both
        mean = self._mean(X)
        y = self.target_scale_.back(mean)
        return y[:, 0] if self.n_outputs_ == 1 else y
