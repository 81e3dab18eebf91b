"""Target columns of files: the task that they suggest, and their labels as training read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError, must, quoted
from thinnet.tables.columns import amounts, dates, naming
from thinnet.tables.columns.kinds import MOSTLY, are_codes, as_numbers, code_in
from thinnet.tables.columns.missing import cleaned, words
from thinnet.tables.reading.cells import DASH, Cells, Frame
from thinnet.tables.reading.labels import as_labels, as_written, label
from thinnet.tables.repeating import check_repeats
from thinnet.tables.target_cells import is_text, target_cells
from thinnet.uncertainty.draws.heads import ClassHead

Task: TypeAlias = Literal["classification", "regression"]
FEW: Final = 20  # up to so many distinct whole numbers are taken as classes
BEGINS_WITH_A_NUMBER: Final = r"\W{0,3}\d"


def column(frame: Frame, target: str, missing: tuple[str, ...] = ()) -> Cells:
    """The target's column, whose cells may also be missing by the words `missing`.

    Raises
    ------
    DataFileError
        If there is none of that name, or all its cells are missing.
    """
    check_there(frame, target)
    cells = target_cells(frame[target], words(missing))
    if cells.isna().all():
        raise DataFileError(
            f"target column {quoted(target)} must hold values, got missing cells only"
        )
    if frame.shape[1] == 1:
        raise DataFileError(
            f"the table must have columns beside the target {quoted(target)}, got none"
        )
    return cells


def known(estimator: Any, cells: Cells) -> Cells:
    """The target's cells, cleaned as in fit."""
    if estimator.encoder_.missing_ is None:
        return cells
    cells = cleaned(cells, estimator.encoder_.missing_)
    head = estimator.head_
    is_class = isinstance(head, ClassHead) and DASH in head.classes
    return cells if is_class else cells.mask(cells.astype(object) == DASH)


def check_kinds(kinds: Mapping[str, str], target: str, left_out: Collection[str]) -> None:
    """ValueError where --kind names a column that is not learned from."""
    for name in kinds:
        must(name != target, "--kind", "of a column to learn from (--task is for the target)", name)
        must(name not in left_out, "--kind", "of a column that is not left out", name)


def check_there(frame: Frame, target: str) -> None:
    """DataFileError where no column has the target's name."""
    if target not in frame.columns:
        raise DataFileError(
            f"target must be a column of the table, one of {naming.there(frame.columns)}; got "
            f"{quoted(target)}{naming.meant(target, frame.columns)}"
        )


class TargetReading(NamedTuple):
    """The task, how amounts of money or per cent are read, and notes on both."""

    task: Task
    decimal: str | None = None
    notes: tuple[str, ...] = ()

    def read(self, cells: Cells, known: Array | None = None) -> Array:
        """Targets: labels (of the `known` ones) or numbers."""
        if self.task == "classification":
            return labels(cells, known)
        return numbers(cells, self.decimal)


def target_reading(cells: Cells, task: str) -> TargetReading:
    """The reading for a given task, or for the one that the target's values suggest ("auto").

    Raises
    ------
    DataFileError
        If most cells are numbers and others aren't, or begin with one, and no task is given.
    """
    present = cells.dropna()
    if task == "classification":
        return TargetReading("classification")
    if dates.is_dates(present):
        _check_no_dates(present)
    found, decimal = as_numbers(present), None
    if found.isna().any() and (decimal := amounts.decimal_of(present)) is not None:
        found = amounts.read(present, decimal)
    mark = decimal or amounts.PLAIN
    notes = tuple(filter(None, [amounts.reading_text(present.array, found.array, mark)]))
    if task == "regression":
        return TargetReading("regression", decimal, notes)
    if found.isna().any():
        _check_no_numbers(present, found)
        return TargetReading("classification")
    if are_codes(present):
        return TargetReading("classification", notes=(_codes_text(present),))
    whole = bool((found == found.round()).all())
    if not whole or found.nunique() > FEW:
        return TargetReading("regression", decimal, notes)
    how = "its few whole numbers are taken as classes (--task regression takes them as numbers)"
    return TargetReading("classification", notes=(how,))


def _codes_text(cells: Cells) -> str:
    return (
        f"cells such as {code_in(cells)!r} are names, not numbers: they are taken as labels "
        "(--task regression takes them as numbers)"
    )


def _check_no_dates(cells: Cells) -> None:
    is_dates = dates.is_dates(cells)
    if is_dates or dates.form_of(cells.astype(str), MOSTLY * len(cells)) is not None:
        raise DataFileError(
            f"target column {quoted(cells.name)} must hold numbers or labels, got dates such as "
            f"{str(cells.iloc[0])!r}; add a column of numbers, such as the days from another date, "
            "and take that as the target"
        )


def _check_no_numbers(cells: Cells, found: Any) -> None:
    """Refuse cells of which most begin with a number: they may be amounts or names."""
    if cells.nunique() <= FEW:
        return
    _check_no_dates(cells)
    missing, texts = found.isna(), cells.astype(str)
    if texts.str.match(BEGINS_WITH_A_NUMBER).mean() < MOSTLY:
        return
    other = texts[missing & ~texts.str.match(BEGINS_WITH_A_NUMBER)]
    shown = (other if len(other) else texts[missing]).iloc[0]
    raise DataFileError(
        f"target column {quoted(cells.name)} must hold numbers or labels, got {cells.nunique()} "
        f"different cells of which most begin with a number, and {shown!r}; --task classification "
        "takes all as labels"
    )


def numbers(
    cells: Cells, decimal: str | None = None, otherwise: str = "--task classification takes labels"
) -> Array:
    """Finite numbers; DataFileError names a cell that is none, with the advice `otherwise`."""
    is_dates = dates.is_dates(cells)
    found = as_numbers(cells, form=decimal or "")
    bad = ~np.isfinite(found.to_numpy())
    if is_dates or bad.all():
        _check_no_dates(cells)
    if bad.any():
        raise DataFileError(
            f"target column {quoted(cells.name)} must hold numbers for a regression, got "
            f"{cells[bad].iloc[0]!r}; {otherwise}"
        )
    return found.to_numpy()


def as_learned(cells: Cells, decimal: str | None) -> Array:
    """`numbers`, for a fitted model's target.

    Raises
    ------
    DataFileError
        If a cell is not a number, or is an amount where the model's numbers were plain.
    """
    wanted = "plain numbers" if decimal is None else "amounts as in the table that was fitted"
    return numbers(cells, decimal, f"the model has learned {wanted}: write it so")


def labels(cells: Cells, known: Array | None = None) -> Array:
    """Labels as texts; of the `known` ones, where a file has a full stop behind them too.

    Raises
    ------
    DataFileError
        If a label is none of the known ones; where none is known, if all are the same.
    """
    if known is None:
        found: Any = as_written(cells) if is_text(cells) else as_labels(cells)
        return _several(found, cells.name)
    written, found = cells.astype(str).str.strip(), as_labels(cells)
    same = {label(name): name for name in known}
    attempts = (written, found.map(same), as_labels(cells, codes=False), written.str.rstrip("."))
    for attempt in attempts:
        if attempt.isin(list(known)).all():
            return attempt.to_numpy(object)
    other = found[~found.isin(list(known))].iloc[0]
    raise DataFileError(
        f"target column {quoted(cells.name)} must hold the labels "
        f"{', '.join(map(quoted, known[:20]))}, got {quoted(other)}"
    )


def _several(found: Any, name: str) -> Array:
    if found.nunique() < 2:
        raise DataFileError(
            f"target column {quoted(name)} must hold two classes at least, got only "
            f"{found.iloc[0]!r}"
        )
    check_repeats(f"target column {quoted(name)}", found)
    return found.to_numpy()
