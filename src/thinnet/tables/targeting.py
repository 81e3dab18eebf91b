"""Targets that are columns of the table they come with, taken out of it by name."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.tables.columns import naming
from thinnet.tables.reading import read_table
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.frames import collected, frame_of
from thinnet.tables.target_cells import target_cells, target_cells_of_file, values_of


class Targeted(NamedTuple):
    """A table and its targets; if these were named, the rows that had them, and a single name."""

    X: Any
    y: Any
    dialect: Dialect | None = None
    name: str | None = None
    known: Array | None = None
    whole: Any = None  # all rows, those without a target included

    @property
    def notes(self) -> tuple[str, ...]:
        if self.known is None or self.known.all():
            return ()
        return (left_out(int((~self.known).sum())),)


def left_out(n: int) -> str:
    """The note about rows without a target."""
    rows = "1 row is" if n == 1 else f"{n:,} rows are"
    return f"{rows} left out: their target is missing"


def targeted(
    X: Any, y: Any, dialect: Dialect | None = None, missing: tuple[str, ...] | None = ()
) -> Targeted:
    """A table and the targets taken out of it; rows with a missing target are left out.

    A path is read.  `missing` are the words that mean a missing cell; None, in models of older
    versions, stands for no words.

    Raises
    ------
    DataFileError, ValueError
        If the file can't be read; if there is no column of that name, or all its cells are missing.
    """
    from_file = isinstance(X, str | os.PathLike)
    if from_file:
        X, dialect = read_table(X, dialect, typed=False)
    X = collected(X)
    names = _names(X, y)
    if names is None:
        return Targeted(X, y, dialect, whole=X)
    frame = frame_of(X)
    for name in names:
        if name not in frame.columns:
            raise ValueError(
                f"target must be a column of the table, got {quoted(name)}"
                f"{naming.meant(name, frame.columns)}; there are {naming.there(frame.columns)}"
            )
    whole = frame.drop(columns=names)
    if not whole.shape[1]:
        raise ValueError(f"X must have columns beside the target {quoted(y)}, got none")
    clean = target_cells_of_file if from_file else target_cells
    cells = frame[names].apply(lambda column: clean(column, missing))
    known = cells.notna().all(axis=1).to_numpy()
    if not known.any():
        listed = quoted(names[0]) if len(names) == 1 else ", ".join(map(quoted, names))
        raise ValueError(f"column {listed} must hold targets, got missing cells only")
    one = isinstance(y, str)
    targets = values_of(cells[names[0]][known]) if one else cells[known].to_numpy()
    return Targeted(whole[known], targets, dialect, names[0] if one else None, known, whole)


def _names(X: Any, y: Any) -> list[str] | None:
    """The names of target columns in `y`; None for a list of as many texts as rows: labels."""
    if isinstance(y, str):
        return [y]
    named = isinstance(y, list | tuple) and bool(y) and all(isinstance(name, str) for name in y)
    has_names = hasattr(X, "columns") or hasattr(X, "column_names")
    return list(y) if named and has_names and len(y) != len(X) else None


def check_there(y: Any) -> None:
    """ValueError if some targets are None or a missing value of pandas."""
    import pandas as pd

    values = np.asarray(y, object) if isinstance(y, list | tuple) else np.asarray(y)
    if values.dtype.kind != "O":
        return
    missing = np.asarray(pd.isna(values))
    if missing.any():
        row = int(np.argwhere(missing)[0][0])
        raise ValueError(
            f"y must hold a target for each row, got {values[tuple(np.argwhere(missing)[0])]} in "
            f"row {row}; where y is the name of a column, rows without one are left out"
        )
