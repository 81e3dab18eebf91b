"""Cells of a table brought to the kinds that its columns have."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.checks import quoted
from thinnet.tables.columns import dates
from thinnet.tables.columns.dates import as_dates
from thinnet.tables.columns.few import Table
from thinnet.tables.columns.kinds import CODES, HUGE, MISSING_LABEL, Column, as_numbers
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.columns.naming import there
from thinnet.tables.reading.cells import Cells, Frame
from thinnet.tables.reading.labels import as_labels


def prepared(
    frame: Frame, columns: tuple[Column, ...], missing: tuple[str, ...] | None = None
) -> Frame:
    """The columns of a table as numbers and texts, whatever types they come in.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : tuple of Column
    missing : tuple of str, optional
        The words that mean a missing cell; None where a model has none.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    import pandas as pd

    names = {column.name for column in columns}
    found = [_parts(frame, column, names, missing) for column in columns]
    return pd.DataFrame({k: v for part in found for k, v in part.items()}, index=frame.index)


def names_of_parts(columns: tuple[Column, ...]) -> dict[str, tuple[str, ...]]:
    """The names that `prepared` gives to the parts of each column; none to one that is left out."""
    import pandas as pd

    names = {column.name for column in columns}
    empty = pd.DataFrame({name: [None] for name in names}, dtype=object)
    return {column.name: tuple(_parts(empty, column, names, ())) for column in columns}


def parts_of(table: Table, columns: tuple[Column, ...]) -> dict[str, Any]:
    """What `prepared` makes of the columns, as arrays, where few rows are read by themselves."""
    found: dict[str, Any] = {}
    names = {column.name for column in columns}
    for column in columns:
        if column.kind == "left out":
            continue
        if column.name not in table.names:
            raise ValueError(_absent(table.frame, column))
        if (few := table.read(column)) is not None:
            found[column.name] = few.values
        else:
            parts = _parts(table.frame, column, names, table.missing)
            found |= {name: np.asarray(part) for name, part in parts.items()}
    return found


def _parts(
    frame: Frame, column: Column, names: set[str], missing: tuple[str, ...] | None
) -> dict[str, Any]:
    """The parts of a column, apart from all other `names`."""
    if column.kind == "left out":
        return {}
    if column.name not in frame.columns:
        raise ValueError(_absent(frame, column))
    cells = _cells(cleaned(frame[column.name], missing), column, missing)
    return {apart(name, names - {column.name}): part for name, part in cells.items()}


def _absent(frame: Frame, column: Column) -> str:
    return (
        f"column {quoted(column.name)} must be in the table, as in the one that was "
        f"fitted; got columns {there(frame.columns)}"
    )


def apart(name: str, others: set[str]) -> str:
    """The name of a part of a date, if another column is called so: "born: day"."""
    while name in others:
        name += "'"
    return name


def _cells(cells: Cells, column: Column, missing: tuple[str, ...] | None) -> dict[str, Any]:
    if column.kind == "number":
        numbers = as_numbers(cells, missing, column.form)
        far = (numbers.abs() > HUGE).any()
        return {column.name: numbers.clip(column.low, column.high) if far else numbers}
    if column.kind == "date":
        return dates.parts(column.name, as_dates(cells, column.form), column.never)
    labels = as_labels(cells, codes=column.form == CODES)
    return {column.name: labels.fillna("" if column.kind == "text" else MISSING_LABEL)}
