"""Leaks: columns that determine the target alone, most often because they were written later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from scipy import stats
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier

from thinnet.arrays import Array
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.preparing import prepared
from thinnet.tables.reading.cells import Frame

ROWS_A_VALUE: Final = 5  # at least, of a column or a class, or else it may be chance
ENOUGH: Final = 20  # rows
SOME_ROWS: Final = 2000  # a sample, looked at first
NEARLY: Final = 0.99  # mean F1 of the classes guessed from the column
AS_ONE: Final = (
    0.9999  # a rank correlation, or a fraction of the variance, that is 1 but for rounding
)


def leaking(frame: Frame, encoder: TableEncoder, y: Array, *, classes: bool) -> Iterator[str]:
    """The names of columns that determine the target by themselves.

    Classes are determined by labels, or by few intervals of numbers or dates, all but 1 % of them
    (in the mean F1); numbers by one that grows or falls with them, or by the mean of each label.
    """
    determines = _determines_classes if classes else _determines_numbers
    some = _some_of_classes(y) if classes else _spread(len(y), SOME_ROWS)
    for column in encoder.columns_:
        if column.kind in ("number", "category", "date") and all(
            determines(_values(frame.iloc[places], column, encoder), y[places])
            for places in (some, np.arange(len(y)))
        ):
            yield column.name


def _values(frame: Frame, column: Column, encoder: TableEncoder) -> Array:
    """Numbers, days since 1970, or labels."""
    ready = prepared(frame[[column.name]], (column,), encoder.missing_)
    name = f"{column.name}: day" if column.kind == "date" else column.name
    values = ready[name].to_numpy()
    return values if values.dtype == np.float64 else values.astype(str)


def _spread(n: int, most: int) -> Array:
    """Places from the first of `n` rows to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _some_of_classes(y: Array) -> Array:
    classes, places = np.unique(y, return_inverse=True)
    most = max(SOME_ROWS // len(classes), 2 * ROWS_A_VALUE)
    rows = [np.flatnonzero(places == k) for k in range(len(classes))]
    return np.sort(np.concatenate([of[_spread(len(of), most)] for of in rows]))


def _determines_classes(values: Array, y: Array) -> bool:
    """Whether a column determines nearly all classes but rare ones."""
    _, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    kept = counts[places] >= ROWS_A_VALUE
    values, places = values[kept], places[kept]
    n_classes = len(np.unique(places))
    if n_classes < 2:
        return False
    is_number = values.dtype == np.float64
    if is_number and np.isnan(values).all():
        return False
    guessed = _by_intervals(values, places) if is_number else _by_labels(values, places)
    return guessed is not None and f1_score(places, guessed, average="macro") >= NEARLY


def _by_intervals(values: Array, places: Array) -> Array:
    """Classes as predicted by intervals, at most two a class; missing cells go with one of them."""
    tree = DecisionTreeClassifier(
        max_leaf_nodes=2 * len(np.unique(places)),
        min_samples_leaf=ROWS_A_VALUE,
        class_weight="balanced",
        random_state=0,
    )
    x = _ranks(values).reshape(-1, 1)
    return np.asarray(tree.fit(x, places).predict(x))


def _ranks(values: Array) -> Array:
    """Places in the order of numbers, which trees can hold whatever the numbers are."""
    ranks = np.unique(values, return_inverse=True)[1].astype(np.float64)
    return np.where(np.isnan(values), np.nan, ranks)


def _by_labels(labels: Array, places: Array) -> Array | None:
    """The most frequent class of each label; None where labels are too many for the rows."""
    names, of_row = np.unique(labels, return_inverse=True)
    if len(labels) < ROWS_A_VALUE * len(names):
        return None
    pairs, counts = np.unique(np.stack([of_row, places]), axis=1, return_counts=True)
    order = np.argsort(counts, kind="stable")
    most = np.empty(len(names), np.int64)
    most[pairs[0, order]] = pairs[1, order]  # of several the last one, the most frequent, stays
    return most[of_row]


def _determines_numbers(values: Array, y: Array) -> bool:
    """Whether a column determines one of the targets."""
    explains: Callable[[Array, Array], bool] = _by_means
    if values.dtype == np.float64:
        there = np.isfinite(values)
        if there.sum() < max(ENOUGH, len(values) / 2):
            return False
        values, y, explains = values[there], y[there], _by_rank
    if len(values) < ENOUGH:
        return False
    return any(explains(values, target) for target in y.reshape(len(y), -1).T if np.ptp(target))


def _by_rank(values: Array, y: Array) -> bool:
    if np.ptp(values) == 0:
        return False
    return abs(stats.spearmanr(values, y).statistic) >= AS_ONE or _by_means(values, y)


def _by_means(values: Array, y: Array) -> bool:
    names, of_row = np.unique(values, return_inverse=True)
    if len(values) < ROWS_A_VALUE * len(names):
        return False
    means = np.bincount(of_row, y) / np.bincount(of_row)
    return bool(np.var(y - means[of_row]) <= (1 - AS_ONE) * np.var(y))
