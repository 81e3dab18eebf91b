"""One row of a table, and its target where that is known."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, TableLike
from thinnet.tables.columns.kinds import as_labels, as_numbers, label
from thinnet.tables.reading import blocks
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.frames import as_frame
from thinnet.tables.target_cells import target_cells
from thinnet.uncertainty.draws.heads import ClassHead


class OneRow(NamedTuple):
    """A row as a table of its own, its place in the whole one, and rows around it."""

    frame: Frame
    number: int
    around: Frame


def one_row(estimator: FittedEstimator, table: TableLike, row: int) -> OneRow:
    """A row of a table.

    Raises
    ------
    ValueError
        If the table has no such row.
    """
    row = checks.integer("row", row, 0)
    if isinstance(table, str | os.PathLike):
        return row_of_file(table, row, estimator.dialect_)
    frame = as_frame(table, estimator.encoder_, first=False)
    _check_inside(row, len(frame))
    return OneRow(frame.iloc[[row]].reset_index(drop=True), row, frame)


def row_of_file(table: Any, row: int, dialect: Dialect | None) -> OneRow:
    """A row of a file, of which no more is read; ValueError if there is none."""
    checks.integer("row", row, 0)
    start = 0
    for block in blocks(table, None, dialect):
        if row < start + len(block.frame):
            found = block.frame.iloc[[row - start]].reset_index(drop=True)
            return OneRow(found, row, block.frame)
        start += len(block.frame)
    _check_inside(row, start)
    raise AssertionError("a row inside the table was read")


def _check_inside(row: int, rows: int) -> None:
    allowed = f"in [0, {rows - 1}] for a table of {rows} rows, counted from 0"
    checks.must(row < rows, "row", allowed, row)


def target_of(estimator: FittedEstimator, frame: Frame, y: Any) -> Array | None:
    """The target of a row as a loss takes it; None if it isn't known.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
    frame : pandas.DataFrame
        One row, which may have the column of the target.
    y : object
        The target, or None to look for that column.

    Raises
    ------
    ValueError
        If `y` is not of the kind that was learned.
    """
    head = estimator.head_
    if y is not None:
        several = not isinstance(head, ClassHead) and head.n_outputs > 1
        shape = (1, -1) if several else (1,)
        return np.asarray(head.targets(np.asarray(y).reshape(shape)))
    name = vars(estimator).get("target_name_")
    if name is None or name not in frame.columns:
        return None
    cells = target_cells(frame[name], estimator.encoder_.missing_)
    if cells.isna().iloc[0]:
        return None
    if isinstance(head, ClassHead):
        known = {label(each): place for place, each in enumerate(head.classes.tolist())}
        place = known.get(as_labels(cells).iloc[0])
        return None if place is None else np.array([place])
    mark = (head.decimals or "").strip()
    number = as_numbers(cells, estimator.encoder_.missing_, mark).to_numpy()
    return head.units.forward(number[:, None]) if np.isfinite(number).all() else None
