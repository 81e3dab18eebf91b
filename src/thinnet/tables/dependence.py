"""Mean predictions over rows of a table that all get the same cell in one column."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.checks import NothingDrawsError
from thinnet.tables import drifting, uncertain
from thinnet.tables.columns.dates import as_dates, days_of
from thinnet.tables.columns.kinds import CODES, MISSING_LABEL, Column, as_labels, as_numbers
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.columns.naming import there
from thinnet.tables.reading import read_table
from thinnet.tables.reading.cells import Cells, Frame
from thinnet.tables.reading.frames import as_frame
from thinnet.uncertainty.draws.distributions import central
from thinnet.uncertainty.draws.heads import NAME

KINDS: Final = ("number", "date", "category")
ENDS: Final = (0.05, 0.95)  # the quantiles between which points lie
N_POINTS: Final = 20
SOME_ROWS: Final = 300
N_DRAWS: Final = 50
COVERAGE: Final = 0.9  # of the draws, inside the band
MOST_NUMBERS: Final = 2**22  # that are drawn at once


class Question(NamedTuple):
    """A column, a class (None for numbers), and how many points, rows and draws to take."""

    column: str
    target: Any = None
    points: int = N_POINTS
    rows: int | None = SOME_ROWS
    draws: int = N_DRAWS


class Dependence(NamedTuple):
    """The mean prediction at each point of a column, and the band of the draws' means, if any.

    `x` are numbers, days since 1970, or labels.
    """

    column: Column
    x: Array
    mean: Array
    band: Array | None
    predicted: str


class Points(NamedTuple):
    """Values of a column, and the rows whose cells have them."""

    x: Array
    places: Array


def dependence(estimator: Any, X: Any, question: Question) -> Dependence:
    """The partial dependence of predictions on one column, from the rows of a table.

    Raises
    ------
    ValueError
        If there is no such column or class, or no cell of it has a value.
    """
    uncertain.checked_measure(estimator, None)
    column = _column(estimator, question.column)
    name, place = _predicted(estimator, question.target)
    if isinstance(X, str | os.PathLike):
        X, _ = read_table(X, estimator.dialect_, typed=False)
    frame = as_frame(X, estimator.encoder_, first=False).reset_index(drop=True)
    checks.must(column.name in frame, "X", f"a table with column {column.name!r}", there(frame))
    points = points_of(frame[column.name], column, estimator.encoder_.missing_, question.points)
    if not len(points.x):
        raise ValueError(f"column {checks.quoted(column.name)} must hold a value, got none")
    rows = frame.iloc[_some(len(frame), question.rows)]
    with drifting.reported_to(drifting.ignored):  # nobody has met all of these rows
        asked = _asked(rows, frame[column.name], points, estimator, question.draws)
        found = [_at(estimator, some, len(rows), place, question.draws) for some in asked]
    mean = np.concatenate([means for means, _ in found])
    bands = [band for _, band in found if band is not None]
    return Dependence(column, points.x, mean, np.concatenate(bands) if bands else None, name)


def _column(estimator: Any, name: str) -> Column:
    columns = {c.name: c for c in uncertain.used(estimator) if c.kind in KINDS}
    wanted = f"a column of numbers, dates or categories that is used, one of {there(columns)}"
    checks.must(name in columns, "column", wanted, name)
    return columns[name]


def _predicted(estimator: Any, target: Any) -> tuple[str, int]:
    """The name of what is predicted, and its place among the predictions of a row."""
    head = estimator.head_
    if not uncertain.is_classes(estimator):
        checks.must(target is None, "target", "left out for numbers", target)
        return (NAME if head.name == NAME else f"predicted {head.name}"), 0
    labels = head.classes.tolist()
    if target is None and len(labels) == 2:
        target = labels[1]
    names = ", ".join(map(checks.quoted, labels[:20]))
    checks.must(target in labels, "target", f"one of the classes {names}", target)
    return f"probability of {str(target)!r}", labels.index(target)


def points_of(cells: Cells, column: Column, missing: tuple[str, ...] | None, most: int) -> Points:
    """At most so many values of a column: all, or quantiles, or the most frequent labels."""
    clean = cleaned(cells, missing)
    if column.kind == "category":
        return _most_frequent(clean, column, most)
    if column.kind == "number":
        values = as_numbers(clean, missing, column.form).to_numpy()
    else:
        values = days_of(as_dates(clean, column.form))
        values = np.where(np.isin(values, column.never), np.nan, values)
    there_are = np.flatnonzero(np.isfinite(values))
    x, first = np.unique(values[there_are], return_index=True)
    if len(x) > most:
        levels = np.linspace(*ENDS, most)
        wanted = np.unique(np.quantile(values[there_are], levels, method="lower"))
        first, x = first[np.searchsorted(x, wanted)], wanted
    return Points(x, there_are[first])


def _most_frequent(cells: Cells, column: Column, most: int) -> Points:
    labels = as_labels(cells, codes=column.form == CODES).fillna(MISSING_LABEL).to_numpy(str)
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return Points(names[order].astype(object), first[order])


def _some(rows: int, most: int | None) -> Array:
    if most is None or rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _asked(
    rows: Frame, cells: Cells, points: Points, estimator: Any, n_draws: int
) -> Iterator[Frame]:
    """The rows with the cell of each point, of several points at once."""
    import pandas as pd

    step = max(1, MOST_NUMBERS // (len(rows) * n_draws * estimator.head_.width))
    for start in range(0, len(points.places), step):
        some = points.places[start : start + step]
        each = cells.iloc[np.repeat(some, len(rows))].reset_index(drop=True)
        yield pd.concat([rows] * len(some), ignore_index=True).assign(**{str(cells.name): each})


def _at(
    estimator: Any, asked: Frame, rows: int, place: int, n_draws: int
) -> tuple[Array, Array | None]:
    """The mean at each point, shape (points,), and the band, shape (points, 2)."""
    of_classes = uncertain.is_classes(estimator)
    mean = estimator.predict_proba(asked)[:, place] if of_classes else estimator.predict(asked)
    sample = estimator.sample_proba if of_classes else estimator.sample
    try:
        draws = sample(asked, n_draws, progress=False)[..., place]
    except NothingDrawsError:
        return mean.reshape(-1, rows).mean(axis=1), None
    each = draws.reshape(n_draws, -1, rows).mean(axis=2)
    return mean.reshape(-1, rows).mean(axis=1), np.quantile(each, central(COVERAGE), axis=0).T
