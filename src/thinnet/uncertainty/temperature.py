"""Temperature scaling: class probabilities calibrated by one number, found on rows held out."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from jaxtyping import Integer
from sklearn.base import BaseEstimator, ClassifierMixin

from thinnet import checks
from thinnet.arithmetic import exp, log, softmax, tree_mean
from thinnet.arithmetic.exponentials import as_columns, exponentials
from thinnet.arrays import Array, FittedEstimator, Float, MatrixLike, TargetLike
from thinnet.uncertainty.calibrating import (
    PredictsAsWrapped,
    calibration_classes,
    check_calibrated,
    predicted,
)
from thinnet.uncertainty.forecasts import SMALLEST

COLDEST: Final = 0.01
HOTTEST: Final = 100.0


def logits_of(logits: Any) -> Float[Array, "rows classes"]:
    given = checks.finite("logits", checks.numeric("logits", logits)).astype(np.float64)
    shaped = given.ndim == 2 and given.shape[1] >= 2
    checks.must(shaped, "logits", "of shape (rows, 2 or more classes)", given.shape)
    return given


def fit_temperature(logits: Any, y: TargetLike) -> float:
    """The temperature T with the least negative log-likelihood of ``softmax(logits / T)``.

    It is above 1 if the logits were overconfident.  The search goes from 0.01 to 100; a limit is
    the result if the best temperature is beyond it (0, if all rows are classified correctly).

    Parameters
    ----------
    logits : array-like of shape (rows, classes)
        Logits, or log-probabilities, of rows that were not trained on.
    y : array-like of shape (rows,)
        The number of each row's class, 0 to classes - 1; at least two different ones.

    Returns
    -------
    float
        The temperature; its negative log-likelihood on these rows is never above that of 1.

    Raises
    ------
    ValueError
        If logits are not finite, or `y` doesn't fit them.

    References
    ----------
    Guo et al. 2017, section 4.2.

    Examples
    --------
    >>> round(fit_temperature([[2, 0], [2, 0], [2, 0], [0, 2]], [0, 0, 1, 1]), 3)
    1.82
    """
    logits = logits_of(logits)
    return best_temperature(logits, calibration_classes(y, range(logits.shape[1]), len(logits)))


def best_temperature(
    logits: Float[Array, "rows classes"], places: Integer[Array, " rows"]
) -> float:
    from scipy.optimize import minimize_scalar

    rows, columns = np.arange(len(logits)), as_columns(logits)

    def loss(log_temperature: float) -> float:
        found = exponentials(columns / exp(log_temperature))
        return float(tree_mean(log(found.total) - found.d[places, rows]))

    ends = log([COLDEST, HOTTEST])
    # The likelihood is convex in 1 / T, so there is one minimum in log T.
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-10})
    return float(exp(min([0.0, found.x], key=loss)))


def apply_temperature(logits: Any, temperature: float) -> Float[Array, "rows classes"]:
    """``softmax(logits / temperature)``, which keeps the order of the classes.

    Parameters
    ----------
    logits : array-like of shape (rows, classes)
    temperature : float > 0
        1 changes nothing; more makes the probabilities more equal.

    Returns
    -------
    array of shape (rows, classes)
        Probabilities.

    Raises
    ------
    ValueError
        If logits are not finite, or the temperature is out of its range.

    Examples
    --------
    >>> apply_temperature([[2.0, 0.0]], 2.0).round(3)
    array([[0.731, 0.269]])
    """
    return softmax(logits_of(logits) / checks.positive("temperature", temperature))


class TemperatureScaling(PredictsAsWrapped, ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probabilities are calibrated by a temperature.

    The logarithms of its probabilities are taken as logits.  Its predicted classes don't change.

    Parameters
    ----------
    estimator : classifier
        A fitted classifier with `predict` and `predict_proba`; it is not fitted again.  (`clone`
        makes an unfitted copy of it, unless it is wrapped in scikit-learn's `FrozenEstimator`.)

    Attributes
    ----------
    temperature_ : float
        In [0.01, 100]; above 1 if the classifier was overconfident.
    classes_ : array of shape (classes,)

    References
    ----------
    Guo et al. 2017, "On calibration of modern neural networks", section 4.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GaussianNB().fit(X[::2], y[::2])
    >>> scaled = TemperatureScaling(model).calibrate(X[1::2], y[1::2])
    >>> round(scaled.temperature_, 1)
    1.7
    """

    def __init__(self, estimator: FittedEstimator) -> None:
        self.estimator = estimator

    def calibrate(self, X: MatrixLike, y: TargetLike) -> TemperatureScaling:
        """Find the temperature on rows that the classifier was not trained on.

        Parameters
        ----------
        X : array-like of shape (rows, ...)
            Rows as the classifier takes them.
        y : array-like of shape (rows,)
            Labels of at least two of the classes.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `y` is empty, of another length, or holds one class only or unknown labels.
        """
        p = predicted(self.estimator, X)
        places = calibration_classes(y, self.estimator.classes_, len(p))
        self.temperature_ = best_temperature(log_probabilities(p), places)
        self.classes_ = self.estimator.classes_
        return self

    fit = calibrate  # the name that scikit-learn's tools call, as in its CalibratedClassifierCV

    def predict_proba(self, X: MatrixLike) -> Array:
        """Probabilities, shape (rows, classes).

        Raises
        ------
        NotFittedError
            Before calibrate.
        """
        check_calibrated(self)
        return apply_temperature(log_probabilities(predicted(self.estimator, X)), self.temperature_)


def log_probabilities(p: Float[Array, "rows classes"]) -> Float[Array, "rows classes"]:
    return log(np.maximum(p, SMALLEST))
