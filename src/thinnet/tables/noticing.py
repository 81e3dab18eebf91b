"""What a practitioner would notice in a table before training on it, in sentences."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.tables.cells import Frame
from thinnet.tables.encoding import TableEncoder
from thinnet.tables.kinds import Column, prepared

MUCH: Final = 0.8  # of the rows in one class
ROWS_A_VALUE: Final = 5  # at least, in a column that is said to tell the target


def notes(frame: Frame, encoder: TableEncoder, y: Array, *, classes: bool) -> tuple[str, ...]:
    """Columns with something special, columns that tell the target, and classes out of balance."""
    columns = encoder.columns_
    found = [_of_column(column) for column in columns if column.why]
    if classes:
        labels = [column for column in columns if column.kind == "category"]
        found += [
            f"column {quoted(column.name)} tells the target by itself: leave it out if it is not "
            "known before"
            for column in labels
            if _tells(prepared(frame, (column,), encoder.missing_)[column.name].to_numpy(), y)
        ]
        found += _balance(y)
    return tuple(found)


def _of_column(column: Column) -> str:
    how = "is left out" if column.kind == "left out" else f"is read as {column.kind}"
    return f"column {quoted(column.name)} {how}: {column.why}"


def _tells(labels: Array, y: Array) -> bool:
    """Does each value come with one target only, and often enough to be no chance?"""
    values, places = np.unique(labels.astype(str), return_inverse=True)
    pairs = np.unique(np.stack([places, np.unique(y, return_inverse=True)[1]]), axis=1)
    return pairs.shape[1] == len(values) and len(y) >= ROWS_A_VALUE * len(values)


def _balance(y: Array) -> list[str]:
    classes, counts = np.unique(y, return_counts=True)
    share = counts.max() / len(y)
    if share <= MUCH:
        return []
    return [
        f"class {str(classes[counts.argmax()])!r} is {share:.0%} of the rows: accuracy alone says "
        "little, and a decision threshold may be what you want: threshold_for='f1'"
    ]
