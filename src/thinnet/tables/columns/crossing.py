"""Mean targets of categories that come from other rows than a row's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import TargetEncoder

from thinnet.arrays import Array
from thinnet.tables.reading.cells import Frame

Folds: TypeAlias = Sequence[tuple[Array, Array]] | None


def crossed(means: TargetEncoder, cells: Frame, y: Array | None, folds: Folds) -> Array:
    """Fit mean targets, and return those of each row, from other rows than its own.

    Parameters
    ----------
    means : TargetEncoder
    cells : pandas.DataFrame
    y : array, shape (rows,)
    folds : sequence of pairs of arrays, or None
        Places of rows, and of the rows whose means come from these; None, and rows in none of the
        latter: random folds.
    """
    found = np.asarray(means.fit_transform(cells, y))
    return found if folds is None else crossed_again(means, cells, y, folds)


def crossed_again(means: TargetEncoder, cells: Frame, y: Array | None, folds: Folds) -> Array:
    """The mean targets of each row from other rows than its own, for classes as they were fitted.

    A part of the rows may lack some of the classes.
    """
    assert y is not None
    found = np.asarray(means.transform(cells))
    of_folds = [] if folds is None else [held for _, held in folds]
    rest = np.setdiff1d(np.arange(len(y)), np.concatenate([np.empty(0, int), *of_folds]))
    if len(rest) >= means.cv.n_splits:
        some = cells.iloc[rest]
        found[rest] = _of_each(means, y[rest], lambda one, target: one.fit_transform(some, target))
    for kept, held in folds or ():
        rows, others = cells.iloc[kept], cells.iloc[held]
        found[held] = _of_each(
            means,
            y[kept],
            lambda one, target: one.fit(rows, target).transform(others),  # noqa: B023
        )
    return found


def _of_each(means: TargetEncoder, y: Array, of_one: Callable[[Any, Array], Array]) -> Array:
    """The means of the target, or of whether it is each class, in the order of `means`."""
    if means.target_type_ == "continuous":
        targets = [y]
    else:
        classes = means.classes_[1:] if means.target_type_ == "binary" else means.classes_
        targets = [y == each for each in classes]
    one = clone(means).set_params(target_type="continuous")
    each = [of_one(clone(one), np.asarray(target, np.float64)) for target in targets]
    return np.stack(each, axis=2).reshape(len(each[0]), -1)
