"""Intervals around a regressor's predictions that hold the truth with a stated probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, Float, MatrixLike, TargetLike
from thinnet.uncertainty.calibrating import PredictsAsWrapped, check_calibrated
from thinnet.uncertainty.conformal import confidence, crepes
from thinnet.uncertainty.forecasts import one_number_a_row, refuse


class SplitConformalRegressor(PredictsAsWrapped, RegressorMixin, BaseEstimator):
    """A fitted regressor with intervals from its errors on rows held out.

    If calibration rows and new rows are exchangeable, an interval holds the truth with
    probability ``coverage`` to ``coverage + 1 / (rows + 1)`` (no equal errors), whatever the
    regressor is; on average over all rows, not for each kind of row.

    Parameters
    ----------
    estimator : regressor
        A fitted regressor with one output; it is not fitted again.  (`clone` makes an unfitted
        copy of it, unless it is wrapped in scikit-learn's `FrozenEstimator`.)
    normalise : bool
        Divide each row's error by the regressor's own standard deviation of it, from
        ``predict(X, return_std=True)``, so that uncertain rows get wider intervals; otherwise all
        intervals have the same width.

    Attributes
    ----------
    errors_ : array of shape (calibration rows,)
        The errors ``y - prediction``.
    std_ : array of shape (calibration rows,) or None
        Their standard deviations, if normalised.

    References
    ----------
    Papadopoulos et al. 2002, "Inductive confidence machines for regression"; normalised:
    Papadopoulos, Gammerman, Vovk 2008; Lei et al. 2018, section 5.2.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import BayesianRidge
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = BayesianRidge().fit(X[:200], y[:200])
    >>> conformal = SplitConformalRegressor(model).calibrate(X[200:300], y[200:300])
    >>> low, high = conformal.predict_interval(X[300:], coverage=0.8).T
    >>> round(((low <= y[300:]) & (y[300:] <= high)).mean().item(), 1)
    0.8
    """

    def __init__(self, estimator: FittedEstimator, *, normalise: bool = False) -> None:
        self.estimator = estimator
        self.normalise = normalise

    def calibrate(self, X: MatrixLike, y: TargetLike) -> SplitConformalRegressor:
        """Keep the errors on rows that the regressor was not trained on.

        Parameters
        ----------
        X : array-like of shape (rows, ...)
            Rows as the regressor takes them.
        y : array-like of shape (rows,)

        Raises
        ------
        NotFittedError
            If the regressor is not fitted.
        ValueError
            If `y` is not one finite number a row, or the regressor has several outputs.
        """
        truth = one_number_a_row("y", y)
        prediction, std = self._moments(X)
        checks.same_length("y", truth, "X", len(prediction))
        self.errors_, self.std_ = truth - prediction, std
        return self

    fit = calibrate  # the name that scikit-learn's tools call, as in its CalibratedClassifierCV

    def predict_interval(self, X: MatrixLike, coverage: float = 0.9) -> Float[Array, "rows 2"]:
        """The lower and the upper bound for each row.

        Parameters
        ----------
        X : array-like of shape (rows, ...)
        coverage : float in (0, 1)
            The probability that an interval holds the truth; it needs at least
            ``coverage / (1 - coverage)`` calibration rows.

        Returns
        -------
        array of shape (rows, 2)
            The bounds, in the units of `y`.

        Raises
        ------
        NotFittedError
            Before calibrate.
        ValueError
            If the coverage is out of its range, or there were too few calibration rows.
        """
        check_calibrated(self)
        level = confidence(checks.inside("coverage", coverage), len(self.errors_))
        prediction, std = self._moments(X)
        fitted = crepes().ConformalRegressor().fit(self.errors_, self.std_)
        return fitted.predict_int(prediction, std, confidence=level)

    def _moments(self, X: MatrixLike) -> tuple[Array, Array | None]:
        """The predictions, and their standard deviations if `normalise` needs them."""
        if not checks.boolean("normalise", self.normalise):
            return single_output(self.estimator.predict(X)), None
        prediction, std = self.estimator.predict(X, return_std=True)
        std = one_number_a_row("the estimator's std", std)
        refuse("the estimator's std", "> 0", std, std <= 0)
        return single_output(prediction), std


def single_output(prediction: Any) -> Float[Array, " rows"]:
    if np.ndim(prediction) != 1:
        raise ValueError(
            "estimator must be a regressor of one output, got predictions of shape "
            f"{np.shape(prediction)}"
        )
    return one_number_a_row("predict(X)", prediction)
