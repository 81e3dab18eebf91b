"""The plane of two inputs, with a typical value of each other one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike
from thinnet.displays.inputs import PlotInputs, inputs_of

MOST_POINTS = 1000  # along a side


class Plane(NamedTuple):
    """A grid over two inputs.

    `x` and `y` are the inputs along its sides; `rows` are its points as a model takes them, those
    of the least y first.
    """

    x: Array
    y: Array
    rows: Any
    given: PlotInputs

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.y), len(self.x)


def plane_of(
    before: Callable[[Any], Any], X: MatrixLike, features: Sequence[Any] | None, resolution: int
) -> Plane:
    """The plane over the range of two columns of X, widened; the others have their middle values.

    Raises
    ------
    ValueError
        If X has more than two columns and no two of them are named, or they hold no numbers.
    """
    n = checks.integer("resolution", resolution, 2, MOST_POINTS)
    given = _with_typical(before, X, features)
    x, y = np.linspace(*given.span(0), n), np.linspace(*given.span(1), n)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return Plane(x, y, given.rows(points), given)


def _with_typical(
    before: Callable[[Any], Any], X: MatrixLike, features: Sequence[Any] | None
) -> PlotInputs:
    if features is None:
        shape = getattr(X, "shape", None) or np.shape(X)
        fits = len(shape) == 2 and shape[1] == 2
        checks.must(fits, "X", "an array of two columns, or come with features=(a, b)", shape)
        return inputs_of(None, before, X, 2)
    named = hasattr(X, "columns") and hasattr(X, "iloc")
    return _of_frame(before, X, features) if named else _of_array(before, X, features)


def _pair(features: Any, known: Sequence[Any]) -> tuple[Any, Any]:
    """Two different ones of what is known."""
    fits = isinstance(features, tuple | list) and len(features) == 2
    fits = fits and all(any(same(one, other) for other in known) for one in features)
    there = ", ".join(repr(one) for one in list(known)[:20])
    fits = fits and not same(*features)
    checks.must(fits, "features", f"two different ones of {there}", features)
    return features[0], features[1]


def same(one: Any, other: Any) -> bool:
    """Whether two names of columns are one; True is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _of_array(before: Callable[[Any], Any], X: MatrixLike, features: Any) -> PlotInputs:
    rows = checks.finite("X", checks.numeric("X", X)).astype(np.float64)
    checks.must(rows.ndim == 2, "X", "an array of shape (rows, columns)", rows.shape)
    pair = list(_pair(features, range(rows.shape[1])))
    given, typical = inputs_of(None, before, rows[:, pair], 2), np.median(rows, axis=0)

    def form(values: Array) -> Array:
        whole = np.tile(typical, (len(values), 1))
        whole[:, pair] = values
        return whole

    return given._replace(form=form, names=[f"x{i}" for i in pair])


def _of_frame(before: Callable[[Any], Any], X: Any, features: Any) -> PlotInputs:
    pair = list(_pair(features, list(X.columns)))
    given, typical = inputs_of(None, before, X[pair], 2), {name: middle(X[name]) for name in X}

    def form(values: Array) -> Any:
        import pandas as pd

        of_pair = given.form(values)
        others = {
            name: pd.Series([cell] * len(values), dtype=X[name].dtype)
            for name, cell in typical.items()
        }
        for name, place in zip(pair, of_pair, strict=True):
            others[name] = of_pair[place]
        return pd.DataFrame({name: others[name] for name in X})

    return given._replace(form=form)


def middle(cells: Any) -> Any:
    """The typical value of a column: of numbers and dates the lower median, else the commonest."""
    there = cells.dropna()
    if not len(there):
        return cells.iloc[0]
    if getattr(cells.dtype, "kind", "O") in "iufM":
        return there.sort_values().iloc[(len(there) - 1) // 2]
    return there.mode().iloc[0]
