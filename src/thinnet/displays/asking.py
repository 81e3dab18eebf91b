"""What pictures ask estimators that draw: over a grid, and in the form of the rows given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.displays import estimators

WIDENED = 0.25  # of the range of the rows, on each side


class Asked(NamedTuple):
    """A fitted estimator, what comes before it in a pipeline, and the columns of its rows."""

    last: Any
    before: Callable[[Any], Any]
    inputs: Array  # (rows, width)
    names: list[str]
    form: Callable[[Array], Any]

    def rows(self, values: Array) -> Any:
        """Inputs of shape (rows, width) as the estimator takes them."""
        return self.before(self.form(values))

    def span(self, column: int) -> tuple[float, float]:
        """The range of a column's values, widened."""
        low, high = self.inputs[:, column].min(), self.inputs[:, column].max()
        more = WIDENED * (high - low) or 1.0
        return float(low - more), float(high + more)


def asked(estimator: Any, X: MatrixLike, width: int) -> Asked:
    """ValueError unless X has so many columns of finite numbers."""
    last, before = parted(estimator)
    inputs = checks.finite("X", checks.numeric("X", X)).astype(np.float64)
    right = inputs.ndim == 2 and inputs.shape[1] == width
    columns = "1 column" if width == 1 else f"{width} columns"
    checks.must(right, "X", f"an array of {columns} (rows, {width})", inputs.shape)
    names = [str(name) for name in getattr(X, "columns", [])]
    given = names or (["x"] if width == 1 else [f"x{i}" for i in range(width)])
    return Asked(last, before, inputs, given, _as_frame(names) if names else np.asarray)


def parted(estimator: Any) -> tuple[Any, Callable[[Any], Any]]:
    """An estimator that draws, and the steps before it."""
    return estimators.fitted(estimator), estimators.last_and_before(estimator)[1]


def of_one_number(estimator: Any) -> None:
    one = getattr(estimator, "n_outputs_", 0) == 1 and not hasattr(estimator, "classes_")
    checks.must(one, "estimator", "a regressor of one number", type(estimator).__name__)


def of_one_label(estimator: Any) -> None:
    one = hasattr(estimator, "classes_") and not estimator._several_labels
    checks.must(one, "estimator", "a classifier of one label a row", type(estimator).__name__)


def beside(y: TargetLike, rows: int) -> Array | None:
    """`y` as an array of one value a row, or None."""
    if y is None:
        return None
    given = checks.same_length("y", np.asarray(y), "X", rows)
    return given.reshape(rows, -1)[:, 0]


def _as_frame(names: list[str]) -> Callable[[Array], Any]:
    import pandas as pd

    return lambda values: pd.DataFrame(values, columns=names)
