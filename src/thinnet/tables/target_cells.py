"""A column of a table as its target: its missing cells, and the values of the others."""

from __future__ import annotations

from typing import Any

from thinnet.arrays import Array
from thinnet.tables.columns import amounts
from thinnet.tables.columns.kinds import as_numbers
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.reading.cells import DASH, Cells
from thinnet.tables.reading.labels import as_written
from thinnet.tables.reading.typed import typed


def target_cells(cells: Cells, missing: tuple[str, ...] | None) -> Cells:
    """Cells without missing ones; among numbers a dash is one.  Unchanged if `missing` is None."""
    if missing is None:
        return cells
    cells = cleaned(cells, missing)
    dashes = cells.astype(object) == DASH
    return cells.mask(dashes) if dashes.any() and _are_numbers(cells[~dashes], missing) else cells


def _are_numbers(cells: Cells, missing: tuple[str, ...]) -> bool:
    present = cells.dropna()
    return bool(as_numbers(present, missing).notna().all()) or (
        amounts.decimal_of(present) is not None
    )


def target_cells_of_file(cells: Cells, missing: tuple[str, ...] | None) -> Cells:
    """`target_cells` of a file of text, with the type that fits all its cells."""
    found = target_cells(cells, missing)
    return typed(found.to_frame())[found.name]


def is_text(cells: Cells) -> bool:
    return bool(cells.dropna().map(lambda value: isinstance(value, str)).all())


def values_of(cells: Cells) -> Array:
    """Targets without missing ones: texts as they are written, other values as they are."""
    found: Any = as_written(cells) if is_text(cells) else cells
    return found.to_numpy()
