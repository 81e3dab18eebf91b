"""Inputs of plots: a grid of rows in the form that an estimator with draws takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.displays.estimators import fitted_and_before

WIDENED = 0.25  # the fraction of the rows' range that is added on each side


class PlotInputs(NamedTuple):
    """A fitted estimator, the steps before it in a pipeline, and the columns of its rows."""

    last: Any
    before: Callable[[Any], Any]
    X: Array  # (rows, width)
    names: list[str]
    dated: tuple[bool, ...]  # which inputs are days since 1970
    form: Callable[[Array], Any]

    def rows(self, values: Array) -> Any:
        """Inputs of shape (rows, width) as the estimator takes them."""
        return self.before(self.form(values))

    def span(self, column: int) -> tuple[float, float]:
        """The range of a column's values, widened."""
        low, high = self.X[:, column].min(), self.X[:, column].max()
        more = WIDENED * (high - low) or 1.0
        return float(low - more), float(high + more)


def plot_inputs(estimator: Any, X: MatrixLike, width: int) -> PlotInputs:
    """`X` as inputs; ValueError unless it has `width` columns of finite numbers, or of dates."""
    return inputs_of(*fitted_and_before(estimator), X, width)


def inputs_of(last: Any, before: Callable[[Any], Any], X: MatrixLike, width: int) -> PlotInputs:
    """`plot_inputs` of a model that has been looked at."""
    kinds = _kinds(X)
    inputs = checks.finite("X", checks.numeric("X", _in_days(X, kinds))).astype(np.float64)
    right = inputs.ndim == 2 and inputs.shape[1] == width
    columns = "1 column" if width == 1 else f"{width} columns"
    checks.must(right, "X", f"an array of {columns} (rows, {width})", inputs.shape)
    names = [str(name) for name in getattr(X, "columns", [])]
    given = names or (["x"] if width == 1 else [f"x{i}" for i in range(width)])
    dated = tuple(name in kinds for name in given)
    return PlotInputs(
        last, before, inputs, given, dated, _as_frame(names, kinds) if names else np.asarray
    )


@contextmanager
def far_from_training() -> Iterator[None]:
    """A context without warnings of drift, as a grid reaches beyond the training rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", checks.DriftWarning)
        yield


def beside(y: TargetLike, rows: int) -> Array | None:
    """`y` as an array of one value a row, or None."""
    if y is None:
        return None
    given = checks.same_length("y", np.asarray(y), "X", rows)
    return given.reshape(rows, -1)[:, 0]


def _kinds(X: Any) -> dict[str, Any]:
    """The types of a frame's columns of dates."""
    pairs = zip(getattr(X, "columns", ()), getattr(X, "dtypes", ()), strict=False)
    return {str(name): kind for name, kind in pairs if getattr(kind, "kind", "") == "M"}


def _in_days(X: Any, kinds: dict[str, Any]) -> Any:
    """Dates as days since 1970, as matplotlib counts them."""
    return X.assign(**{name: days(X[name]) for name in kinds}) if kinds else X


def days(dates: Any) -> Array:
    """Days since 1970 (UTC), NaN for missing dates."""
    import pandas as pd

    since = pd.to_datetime(pd.Series(np.asarray(dates)), utc=True) - pd.Timestamp(0, tz="UTC")
    return np.asarray(since / pd.Timedelta(1, "D"), np.float64)


def _as_frame(names: list[str], kinds: dict[str, Any]) -> Callable[[Array], Any]:
    import pandas as pd

    def form(values: Array) -> Any:
        frame = pd.DataFrame(values, columns=names)
        for name, kind in kinds.items():
            date = pd.to_datetime(frame[name], unit="D", utc=True)
            frame[name] = (
                date.dt.tz_localize(None).astype(kind) if _naive(kind) else date.astype(kind)
            )
        return frame

    return form


def _naive(kind: Any) -> bool:
    return getattr(kind, "tz", None) is None
