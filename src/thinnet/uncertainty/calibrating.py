"""Parts that the calibrating wrappers around fitted estimators have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike
from thinnet.uncertainty.forecasts import class_places, probabilities


def check_calibrated(estimator: Any) -> None:
    """Raise NotFittedError if the estimator's `calibrate` was not called yet."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(
        estimator, msg="this %(name)s is not calibrated yet: call calibrate(X, y) first"
    )


class PredictsAsWrapped:
    """`predict` of an estimator that wraps another and changes nothing in its predictions."""

    estimator: FittedEstimator

    def predict(self, X: MatrixLike) -> Array:
        """The predictions of the wrapped estimator, shape (rows,).

        Raises
        ------
        NotFittedError
            Before calibrate.
        """
        check_calibrated(self)
        return self.estimator.predict(X)


def predicted(estimator: Any, X: Any) -> Array:
    """Probabilities of a fitted classifier in float64, shape (rows, classes)."""
    return probabilities("predict_proba(X)", estimator.predict_proba(X), 2)


def calibration_classes(y: Any, classes: Any, rows: int) -> Array:
    """The places of the labels of `y` among `classes`; ValueError unless two classes occur."""
    places = checks.same_length("y", class_places(y, classes), "X", rows)
    if len(np.unique(places)) < 2:
        only = np.asarray(classes).tolist()[places[0]]
        raise ValueError(f"y must hold at least 2 classes, got only {only!r}")
    return places
