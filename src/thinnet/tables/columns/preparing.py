"""Cells of a table brought to the kinds that its columns have."""

from __future__ import annotations

from typing import Any

from thinnet.checks import quoted
from thinnet.tables.columns import dates
from thinnet.tables.columns.dates import as_dates
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

    found: dict[str, Any] = {}
    names = {column.name for column in columns}
    for column in columns:
        if column.kind == "left out":
            continue
        if column.name not in frame.columns:
            raise ValueError(
                f"column {quoted(column.name)} must be in the table, as in the one that was "
                f"fitted; got columns {there(frame.columns)}"
            )
        cells = _cells(cleaned(frame[column.name], missing), column, missing)
        found |= {_apart(name, names - {column.name}): part for name, part in cells.items()}
    return pd.DataFrame(found, index=frame.index)


def _apart(name: str, others: set[str]) -> str:
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
