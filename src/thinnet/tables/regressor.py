"""Numbers from a mixed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Final

import numpy as np
from sklearn.base import RegressorMixin

from thinnet import checks
from thinnet.arrays import (
    Array,
    EvalSet,
    OfRows,
    TableLike,
    TargetLike,
)
from thinnet.estimators.predicting import PredictsNumbers
from thinnet.losses.quantiles import LEVELS, checked_levels
from thinnet.network import Network
from thinnet.tables import calibrating
from thinnet.tables.base import TableEstimator
from thinnet.tables.beside import Given
from thinnet.tables.columns import amounts
from thinnet.tables.eval_metrics import LOSS, NUMBERS, NumberMetric, spelt
from thinnet.tables.heads import AmountHead
from thinnet.tables.members import TableRows, TrainingSet, held_out_draws
from thinnet.tables.parameters import FITTED, PARAMETERS
from thinnet.tables.targets import TargetScale
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.heads import NAME, QUANTILE, check_learned

LOSSES: Final = ("squared_error", "gaussian_nll", QUANTILE)


@dataclass(eq=False, repr=False)
class TableRegressor(RegressorMixin, TableEstimator, PredictsNumbers):
    __doc__ = f"""A regressor of raw tables with numbers, categories, dates, texts and holes.

    The target is standardised; a skewed one that is never negative is learned as a logarithm.

    Parameters
    ----------
    {PARAMETERS}
    loss : {{'squared_error', 'gaussian_nll', 'quantile'}}, default='squared_error'
        'gaussian_nll': the networks also learn the noise of each row's target (Nix and Weigend
        1994).  'quantile': they learn quantiles of it (Koenker and Bassett 1978), `predict` gives
        the median, and a row's distribution may have any shape.  Else the noise is the same for
        all rows, learned from rows held out.
    quantile : float or sequence of float, default=(0.05, 0.25, 0.5, 0.75, 0.95)
        With 'quantile' the levels, ascending in (0, 1).  With one level `predict` gives that
        quantile, as HistGradientBoostingRegressor does, and there are no error bars.
    calibrated : bool, default=True
        Take the size and the shape of errors on rows held out for quantiles, intervals, standard
        deviations and likelihoods; else noise is Gaussian.

    Attributes
    ----------
    {FITTED}
    noise_ : array, shape (n_outputs,)
        Standard deviation of the noise around draws, in the units of `target_scale_`; with
        'squared_error'.
    calibration_ : Calibration
        The shape of errors on rows held out, and the coverage of its intervals; if calibrated.
    target_scale_ : TargetScale
        The map between the target's own units and those of the networks.
    n_outputs_ : int
        The number of targets of a row.

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
    standard deviations: Lei et al. 2018, section 5.2; smearing: Duan 1983.  Quantiles: Koenker
    and Bassett 1978; on rows held out: Romano, Patterson and Candes 2019.

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

    hidden_layer_sizes: Sequence[int] | str = "auto"
    activation: str = "relu"
    _: KW_ONLY
    dropout: float | Sequence[float] = 0.2
    input_dropout: float = 0.0
    loss: str = "squared_error"
    quantile: float | Sequence[float] = LEVELS
    calibrated: bool = True

    def fit(
        self,
        X: TableLike,
        y: TargetLike,
        eval_set: EvalSet = None,
        whole: TableLike = None,
        *,
        sample_weight: OfRows = None,
        groups: OfRows = None,
        time: OfRows = None,
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
            The table of which X is a part; the kinds of columns are found from all its rows.
        sample_weight : str or array, shape (rows,), optional
            The weight of each row in the loss, in the loss of held-out rows and in what is learned
            from these: a number, at least 0, not all 0; or the name of the column of `X` that has
            them, which is then not learned from.  A weight of 2 counts as two equal rows do, and
            only the ratios of weights matter, so the learning rate keeps its meaning.  Rows of
            weight 0 are left out as if they were not there.  Columns are encoded, and targets
            scaled, without weights.  Of a named column `eval_set` is weighed too, where it has it.
        groups : str or array, shape (rows,), optional
            The group of each row, such as a patient, or the name of the column of `X` that has it,
            which is then not learned from.  No group is parted: each network stops by groups that
            it has not learned from.
        time : str or array, shape (rows,), optional
            The time of each row, dates or numbers, or the name of the column of `X` that has it,
            which is learned from unless `kinds` drops it.  No network learns from rows later than
            those that it stops by: each learns from the rows before some date, half of them at
            least, and stops by those after it, up to the date of the next.  The final networks
            learn from all rows, for the number of epochs that was best, however many rows there
            are; a single one (``n_networks=1``) holds the last rows out.

        Returns
        -------
        self
        """
        check_loss(self)
        checks.boolean("calibrated", self.calibrated)
        spelt(self.eval_metric, NUMBERS)
        self._fit(X, y, eval_set, whole, Given(sample_weight, groups, time))
        return self

    def score(self, X: TableLike, y: TargetLike, sample_weight: OfRows = None) -> float:
        """The coefficient of determination R^2 of `predict`.

        Parameters
        ----------
        X : as for `predict`
        y : as for `fit`
            Names of columns of `X` too; then rows without a target are left out.
        sample_weight : str or array, shape (rows,), optional
            Weights, or the name of the column of `X` that has them.

        Returns
        -------
        float
        """
        found, weights = self._measured(X, y, sample_weight)
        numbers = self.head_.read(found.y)
        return float(super().score(found.X, numbers, weights))

    def _read_targets(self, y: TargetLike, *, first: bool) -> Array:
        if not first:
            return self.head_.units.forward(self.head_.known(y))
        if (decimals := amounts.decimals_needed(y)) is not None:
            self.target_decimal_ = decimals
        numbers = AmountHead(self.loss, 0, decimals=self.target_decimal_).read(y)
        self.n_outputs_ = numbers.shape[1]
        self.target_scale_ = TargetScale.of(numbers)
        return self.target_scale_.forward(numbers)

    @property
    def head_(self) -> AmountHead:
        """The head that makes numbers and their noise of the networks' outputs."""
        check_learned(self, "target_scale_")
        known = vars(self)
        calibration = known.get("calibration_")
        return AmountHead(
            self.loss,
            self.n_outputs_,
            known.get("noise_"),
            self.target_scale_,
            None if calibration is None else calibration.shape,
            known.get("target_name_", NAME),
            checked_levels("quantile", self.quantile) if self.loss == QUANTILE else (),
            self.target_decimal_,
        )

    def _metric(self, y: Array) -> NumberMetric | None:
        name = spelt(self.eval_metric, NUMBERS)
        return None if name == LOSS else NumberMetric(name, self.head_)

    def _target_notes(self, y: TargetLike) -> tuple[str, ...]:
        numbers = self.head_.read(y)
        columns = np.asarray(y).reshape(numbers.shape).T
        marks = self.target_decimal_ or amounts.PLAIN * len(columns)
        texts = map(amounts.reading_text, columns, numbers.T, marks)
        return tuple(f"target {words}" for words in texts if words)

    def _learn_noise(self, training_sets: list[TrainingSet]) -> None:
        if self.loss == "squared_error":
            self.noise_ = noise.noise_of(*held_out_draws(self.networks_, training_sets))

    def _calibrate(
        self, training_sets: list[TrainingSet], stopped: list[Network], held: TableRows | None
    ) -> None:
        head, networks = self.head_, self.networks_
        if not self.calibrated or not head.has_distributions:
            return
        parts = [part.held.some() for part in training_sets if part.held is not None]
        if head.levels and held is not None:
            found = calibrating.curves_of_others(head.curves, held, networks)
        elif head.levels:
            found = calibrating.curves_of_folds(head.curves, parts, stopped)
        elif held is not None:
            found = calibrating.of_others(head.gaussians, held, networks)
        else:
            found = calibrating.of_folds(head.gaussians, parts, stopped, networks)
        if found is not None:
            self.calibration_ = found

    def _means_of(self, X: TableLike) -> Array:
        mean = self._mean(X)
        return self.head_.squeezed(self.target_scale_.back(mean))


def check_loss(estimator: TableRegressor) -> None:
    """ValueError for a loss, or levels of quantiles, that can't be."""
    checks.one_of("loss", estimator.loss, LOSSES)
    checked_levels("quantile", estimator.quantile)
