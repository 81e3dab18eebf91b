"""Rows and targets as estimators take them, by scikit-learn's own checks.

These checks run SciPy's code, so a sparse matrix is made one of our own before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted, validate_data

from thinnet import checks, sparse
from thinnet.estimators import settings

SPARSE = ("csr", "csc")


def to_fit(estimator: Any, model: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
    """X and y for `estimator`, by the settings of `model`: itself, or the one it clones."""
    name = "dtype" if model is estimator else "dtype of estimator"
    checks.one_of(name, model.dtype, settings.DTYPES)
    X, y = validate_data(
        estimator,
        sparse.own_rows("X", X),
        sparse.own_rows("y", y),
        accept_sparse=SPARSE,
        multi_output=True,
        y_numeric=is_regressor(model),
        dtype=[np.float64, np.float32] if model.dtype is None else [np.dtype(model.dtype)],
        reset=reset,
    )
    return X, y


def to_predict(estimator: Any, X: Any) -> Any:
    """Rows for a fitted estimator; NotFittedError if it is not fitted."""
    if _are_plain(estimator, X):
        return X
    check_is_fitted(estimator)
    return validate_data(
        estimator,
        sparse.own_rows("X", X),
        accept_sparse=SPARSE,
        dtype=[np.float64, np.float32],
        reset=False,
    )


def _are_plain(estimator: Any, X: Any) -> bool:
    """Whether X is what `validate_data` returns as it is: a few finite numbers of a known width.

    For a single row that would take longer than the prediction.
    """
    if type(X) is not np.ndarray or X.ndim != 2 or not len(X):
        return False
    known = vars(estimator)
    if X.shape[1] != known.get("n_features_in_") or "feature_names_in_" in known:
        return False
    return "network_" in known and checks.are_few_and_finite(X)
