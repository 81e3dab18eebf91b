"""By how much an answer moves when a cell takes a typical value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thinnet.arrays import Array, FittedEstimator
from thinnet.tables import uncertain
from thinnet.tables.columns.dates import day_text
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import MISSING_LABEL, Column
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.explained.answers import answers, outputs_of, together
from thinnet.tables.explained.made import Made, column_of_each, made_by, rare_of
from thinnet.tables.reading.cells import Frame


@dataclass(frozen=True, eq=False)
class Typical:
    """The answers for a row in which one cell after the other takes a typical value.

    Attributes
    ----------
    columns : tuple of str
        The table's columns that are used.
    texts : tuple of str
        The typical cells; empty for a missing one.
    answers : array of float64, shape (columns, answers)
        Each with one cell replaced.
    moves : array of float64, shape (columns, answers)
        The same less the answer for the row as it is.
    """

    columns: tuple[str, ...]
    texts: tuple[str, ...]
    answers: Array
    moves: Array


def with_typical_cells(
    estimator: FittedEstimator, frame: Frame, row: Array, mean: Array
) -> Typical:
    """The answers with a typical cell in each column.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
    frame : pandas.DataFrame
        Rows of which a model of an earlier version takes the most frequent labels; later ones know
        those of training.
    row : array, shape (slots,)
        The encoded row.
    mean : array, shape (answers,)
        Its answers.
    """
    encoder: TableEncoder = estimator.encoder_
    cells = typical_cells(encoder, frame)
    table = encoder.table(_framed(encoder, cells))
    typical = encoder.encoded(table)[0].astype(row.dtype)
    names = [column.name for column in uncertain.used(estimator)]
    rows = np.repeat(row[None], len(names), axis=0)
    places = places_by_column(encoder)
    for each, name in zip(rows, names, strict=True):
        each[places[name]] = typical[places[name]]
    found = answers(estimator.head_, together(estimator.head_, outputs_of(estimator, rows)))
    texts = tuple(_text(cells[name]) for name in names)
    return Typical(tuple(names), texts, found, found - mean)


def places_by_column(encoder: TableEncoder) -> dict[str, Array]:
    """Where the numbers of each column of a table lie in an encoded row."""
    column_of, found = column_of_each(encoder), dict[str, list[Array]]()
    for made in made_by(encoder):
        found.setdefault(column_of[made.name], []).append(made.places)
    return {name: np.concatenate(places) for name, places in found.items()}


def typical_cells(encoder: TableEncoder, frame: Frame) -> dict[str, Any]:
    """The typical cell of each column that is used: the median, or the most frequent label.

    They are those of the rows of training, so that an explanation does not depend on what other
    rows stand in the table; a text has none, and counts as missing.
    """
    column_of, made = column_of_each(encoder), dict[str, list[Made]]()
    for each in made_by(encoder):
        made.setdefault(column_of[each.name], []).append(each)
    used = [column for column in encoder.columns_ if column.kind != "left out"]
    return {column.name: _typical(column, made[column.name], encoder, frame) for column in used}


def _typical(column: Column, made: list[Made], encoder: TableEncoder, frame: Frame) -> Any:
    if column.kind == "text":
        return None
    if column.kind == "category":
        label = _most_frequent(made, encoder)
        return _most_frequent_of(column, frame, encoder) if label is None else label
    day = f"{column.name}: day"
    fillers = [each.filler for each in made if each.filler is not None]
    if column.kind == "date":
        fillers = [e.filler for e in made if e.filler is not None and e.name.startswith(day)]
        return np.datetime64(int(np.floor(fillers[0])), "D") if fillers else None
    return fillers[0] if fillers else None


def _most_frequent(made: list[Made], encoder: TableEncoder) -> str | None:
    """The label that most rows of training had; None where the model doesn't know it."""
    if encoder.parts_ is None or encoder.parts_.means is None:
        return None
    codes = next(each for each in made if hasattr(each.transformer, "widths"))
    rare = rare_of(codes.transformer)[codes.column]
    few = set() if rare is None else set(rare)
    labels = [str(each) for each in codes.transformer.categories_[codes.column] if each not in few]
    at = encoder.parts_.layout.columns.index(codes.name)
    encoding = encoder.parts_.centered[at]
    fractions = np.array(encoding.means[encoding.bins :])[: len(labels)]
    return labels[int(fractions.argmax())] if labels else None


def _most_frequent_of(column: Column, frame: Frame, encoder: TableEncoder) -> Any:
    cell = uncertain.typical_row(frame, [column], encoder.missing_)[column.name]
    clean = cleaned(cell, encoder.missing_)
    return None if clean.isna().iloc[0] else cell.iloc[0]


def _framed(encoder: TableEncoder, cells: dict[str, Any]) -> Frame:
    """A table of one row; columns that are left out are missing."""
    import pandas as pd

    whole = {column.name: cells.get(column.name) for column in encoder.columns_}
    return pd.DataFrame({name: _series(cell) for name, cell in whole.items()})


def _series(cell: Any) -> Any:
    import pandas as pd

    if isinstance(cell, np.datetime64):
        return pd.Series(np.array([cell], "datetime64[s]"))
    if isinstance(cell, float):
        return pd.Series([cell])
    return pd.Series([None if cell == MISSING_LABEL else cell], dtype=object)


def _text(cell: Any) -> str:
    if cell is None or cell == MISSING_LABEL:
        return ""
    if isinstance(cell, np.datetime64):
        return day_text(float(cell.astype(np.int64)))
    return uncertain.value_text(cell)
