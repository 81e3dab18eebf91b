"""Sums: number columns that add up to the target, one of which is most often its remainder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.preparing import prepared
from thinnet.tables.reading.cells import Frame

SOME_ROWS: Final = 2000  # a sample, looked at first
ENOUGH: Final = 20  # rows
ROWS_A_COLUMN: Final = 3  # at least, or else a fit may be chance
MOST_COLUMNS: Final = 200  # that are looked at, by their correlation with the target
MOST_TERMS: Final = 6
MOST_COPIES: Final = 5  # columns that are the target by themselves
NEARLY: Final = 1e-4  # of the target's variance, that a sum may leave
EXACTLY: Final = 1e-10
NEEDED: Final = 4.0  # times what is left is left at least without one of the terms
RIDGE: Final = 1e-9  # so that columns which are equal can be told apart


class Sum(NamedTuple):
    """Columns that add up to a target, with a sign each, and whether they do so exactly."""

    terms: tuple[tuple[str, int], ...]
    is_exact: bool


def sum_of(frame: Frame, encoder: TableEncoder, y: Array) -> Sum | None:
    """The two to six columns whose sum or difference is the target, but for a constant.

    Parameters
    ----------
    frame : pandas.DataFrame
    encoder : TableEncoder
    y : array, shape (rows,)
        A target in its own units.
    """
    columns = [column for column in encoder.columns_ if column.kind == "number"]
    if len(columns) < 2:
        return None
    some = np.unique(np.linspace(0, len(y) - 1, min(len(y), SOME_ROWS)).astype(np.int64))
    places = _terms(_numbers(frame.iloc[some], columns, encoder), y[some])
    if not 2 <= len(places) <= MOST_TERMS:
        return None
    chosen = [columns[j] for j in sorted(places)]
    return _judged(_numbers(frame, chosen, encoder), y, [column.name for column in chosen])


def _numbers(frame: Frame, columns: Sequence[Column], encoder: TableEncoder) -> Array:
    names = [column.name for column in columns]
    ready = prepared(frame[names], tuple(columns), encoder.missing_)
    return ready.to_numpy(np.float64)


def _terms(x: Array, y: Array) -> list[int]:
    """The places of few columns that leave nearly nothing of the target to explain, or none.

    A column that does so by itself is left out, and the others are looked at again.
    """
    there = np.arange(x.shape[1])
    for _ in range(MOST_COPIES):
        found = [int(there[k]) for k in _least(x[:, there], y)]
        if len(found) != 1:
            return found
        there = np.setdiff1d(there, found)
    return []


def _least(x: Array, y: Array) -> list[int]:
    """The places of as few columns as explain a target in the rows without holes."""
    rows, columns = _complete(x)
    x, y = x[np.ix_(rows, columns)], y[rows]
    if len(y) < ENOUGH or not np.isfinite(y).all():
        return []
    x, y = _standardised(x), _standardised(y[:, None])[:, 0]
    if not y.any():
        return []
    most = min(len(y) // ROWS_A_COLUMN, MOST_COLUMNS)
    nearest = np.argsort(-np.abs(x.T @ y), kind="stable")[:most]
    return [int(columns[nearest[k]]) for k in _eliminated(x[:, nearest], y)]


def _complete(x: Array) -> tuple[Array, Array]:
    """Rows without holes, and columns: those with the most holes go until there are enough rows."""
    holes = ~np.isfinite(x)
    columns = list(np.argsort(holes.sum(axis=0), kind="stable"))
    while columns:
        rows = np.flatnonzero(~holes[:, columns].any(axis=1))
        if len(rows) >= max(ENOUGH, min(ROWS_A_COLUMN * len(columns), len(x) // 2)):
            return rows, np.sort(columns)
        columns.pop()
    return np.arange(0), np.arange(0)


def _standardised(x: Array) -> Array:
    """Columns with mean 0 and norm 1; constant ones are 0, and so are those too large to square."""
    scale = np.abs(x).max(axis=0, initial=0.0)
    x = x / np.where(scale > 0, scale, 1.0)
    x = x - x.mean(axis=0)
    norm = np.sqrt(np.square(x).sum(axis=0))
    return x / np.where(norm > 0, norm, np.inf)


def _eliminated(x: Array, y: Array) -> list[int]:
    """Least squares with the column left out, again and again, that is missed least.

    With the inverse G of the Gram matrix, leaving out column j adds ``b_j ** 2 / G_jj`` to the
    squares that are left (Hastie, Tibshirani and Friedman 2009, exercise 3.1).
    """
    inverse = np.linalg.inv(x.T @ x + RIDGE * np.eye(x.shape[1]))
    kept = list(range(x.shape[1]))
    b = inverse @ (x.T @ y)
    if not kept or np.square(y - x @ b).sum() > NEARLY:
        return []
    while len(kept) > 1:
        j = int(np.argmin(np.square(b) / np.diag(inverse)))
        others = np.delete(np.arange(len(kept)), j)
        fewer = inverse[np.ix_(others, others)]
        fewer = fewer - np.outer(inverse[others, j], inverse[j, others]) / inverse[j, j]
        found = fewer @ (x[:, [kept[k] for k in others]].T @ y)
        if np.square(y - x[:, [kept[k] for k in others]] @ found).sum() > NEARLY:
            break
        kept, inverse, b = [kept[k] for k in others], fewer, found
    return kept


def _judged(x: Array, y: Array, names: list[str]) -> Sum | None:
    """The sum with coefficients 1 or -1, if all rows have it and no term could be spared."""
    there = np.isfinite(x).all(axis=1)
    x, y = x[there] - x[there].mean(axis=0), y[there] - y[there].mean()
    scale = np.abs(y).max(initial=0.0)
    if len(y) < ENOUGH or not scale > 0:
        return None
    x, y = x / scale, y / scale
    signs = np.sign(np.linalg.lstsq(x, y, rcond=None)[0])
    whole, left = np.square(y).sum(), np.square(y - x @ signs).sum()
    without = [np.square(y - x @ np.where(np.arange(len(signs)) == j, 0, signs)).sum()
               for j in range(len(signs))]  # fmt: skip
    if left > NEARLY * whole or min(without) < NEEDED * max(left, NEARLY * whole):
        return None
    terms = tuple(zip(names, signs.astype(int).tolist(), strict=True))
    return Sum(terms, bool(left <= EXACTLY * whole))
