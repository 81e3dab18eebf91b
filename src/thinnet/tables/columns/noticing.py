"""What a practitioner would notice in a table before training on it, in sentences."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.leaks import telling
from thinnet.tables.reading.cells import Frame

MUCH: Final = 0.8  # of the rows in one class
MOST_DIGITS: Final = 9  # of a per cent


def notes(frame: Frame, encoder: TableEncoder, y: Array, *, classes: bool) -> tuple[str, ...]:
    """Columns with something special, columns that tell the target, and classes out of balance."""
    found = [_of_column(column) for column in encoder.columns_ if column.why]
    found += [
        f"column {quoted(name)} tells the target by itself: leave it out if it is not known before"
        for name in telling(frame, encoder, y, classes=classes)
    ]
    return (*found, *(_balance(y) if classes else ()))


def _of_column(column: Column) -> str:
    how = "is left out" if column.kind == "left out" else f"is read as {column.kind}"
    return f"column {quoted(column.name)} {how}: {column.why}"


def _balance(y: Array) -> list[str]:
    classes, counts = np.unique(y, return_counts=True)
    share = counts.max() / len(y)
    if share <= MUCH:
        return []
    return [
        f"class {str(classes[counts.argmax()])!r} is {_said(share)} of the rows: accuracy alone "
        "says little, and a decision threshold may be what you want: threshold_for='f1'"
    ]


def _said(share: float) -> str:
    """A share below 1 in per cent, with digits until it is below 100 %."""
    said = (f"{share:.{digits}%}" for digits in range(MOST_DIGITS))
    return next((text for text in said if not text.startswith("100")), "nearly 100%")
