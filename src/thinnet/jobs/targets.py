"""Target columns of files: what task they ask for, and their labels in the words of training."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError
from thinnet.tables.cells import Column, Frame
from thinnet.tables.kinds import as_labels, as_numbers

Task: TypeAlias = Literal["classification", "regression"]
FEW: Final = 20  # distinct whole numbers, up to which they are taken as classes


def column(frame: Frame, target: str) -> Column:
    """The target's column.

    Raises
    ------
    DataFileError
        If there is none of that name, or all its cells are missing.
    """
    check_there(frame, target)
    if frame[target].isna().all():
        raise DataFileError(f"target column {target!r} must hold values, got missing cells only")
    return frame[target]


def check_there(frame: Frame, target: str) -> None:
    """DataFileError where no column has the target's name."""
    if target not in frame.columns:
        there = ", ".join(map(repr, list(frame.columns)[:20]))
        raise DataFileError(f"target must be a column of the table, one of {there}; got {target!r}")


def task_of(cells: Column, asked: str) -> Task:
    """The task that was asked for, or the one that the target's values suggest."""
    if asked != "auto":
        return asked  # type: ignore[return-value]
    present = cells.dropna()
    numbers = as_numbers(present)
    if numbers.isna().any():
        return "classification"
    whole = bool((numbers == numbers.round()).all())
    return "classification" if whole and numbers.nunique() <= FEW else "regression"


def numbers(cells: Column) -> Array:
    """Finite numbers; DataFileError names a cell that is none."""
    found = as_numbers(cells)
    bad = ~np.isfinite(found.to_numpy())
    if bad.any():
        raise DataFileError(
            f"target column {cells.name!r} must hold numbers for a regression, got "
            f"{cells[bad].iloc[0]!r}; --task classification takes labels"
        )
    return found.to_numpy()


def labels(cells: Column, known: Array | None = None) -> Array:
    """Labels as texts; of the `known` ones, where a file has a full stop behind them too.

    Raises
    ------
    DataFileError
        If a label is none of the known ones; where none is known, if all are the same.
    """
    found: Any = as_labels(cells)
    if known is None:
        return _several(found, cells.name)
    for attempt in (found, found.str.rstrip(".")):
        if attempt.isin(list(known)).all():
            return attempt.to_numpy()
    other = found[~found.isin(list(known))].iloc[0]
    raise DataFileError(
        f"target column {cells.name!r} must hold the labels {', '.join(map(repr, known[:20]))}, "
        f"got {other!r}"
    )


def _several(found: Any, name: str) -> Array:
    if found.nunique() < 2:
        raise DataFileError(
            f"target column {name!r} must hold two classes at least, got only {found.iloc[0]!r}"
        )
    return found.to_numpy()
