"""What a practitioner would notice in a table before training on it, in sentences."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.leaks import leaking
from thinnet.tables.columns.sums import Sum, sum_of
from thinnet.tables.reading.cells import Frame

MUCH: Final = 0.8  # of the rows in one class
MOST_DIGITS: Final = 9  # of a per cent


def notes(
    frame: Frame, encoder: TableEncoder, y: Array, *, classes: bool, numbers: Array | None = None
) -> tuple[str, ...]:
    """Notes on unusual columns, on those that leak the target, and on unbalanced classes.

    Parameters
    ----------
    frame : pandas.DataFrame
    encoder : TableEncoder
    y : array, shape (rows,) or (rows, outputs)
        Labels, or numbers in whatever units.
    classes : bool
        Whether they are labels.
    numbers : array, shape (rows, outputs), optional
        Numbers in their own units, in which columns may add up to them.
    """
    found = [_column_note(column) for column in encoder.columns_ if column.why]
    found += [
        f"column {quoted(name)} predicts the target by itself: "
        "leave it out if it is not known before"
        for name in leaking(frame, encoder, y, classes=classes)
    ]
    for target in () if numbers is None else numbers.T:
        if (found_sum := sum_of(frame, encoder, target)) is not None:
            found.append(sum_note(found_sum))
    return (*found, *(_balance(y) if classes else ()))


def sum_note(found: Sum) -> str:
    """The note on columns that add up to the target."""
    terms = sorted(found.terms, key=lambda term: -term[1])
    text = " ".join(f"{'+' if sign > 0 else '-'} {quoted(name)}" for name, sign in terms)
    exactly = "" if found.is_exact else "nearly "
    return (
        f"{text.removeprefix('+ ')} is {exactly}the target: leave out the columns that are not "
        "known before"
    )


def _column_note(column: Column) -> str:
    how = "is left out" if column.kind == "left out" else f"is read as {column.kind}"
    return f"column {quoted(column.name)} {how}: {column.why}"


def _balance(y: Array) -> list[str]:
    classes, counts = np.unique(y, return_counts=True)
    fraction = counts.max() / len(y)
    if fraction <= MUCH:
        return []
    return [
        f"class {str(classes[counts.argmax()])!r} is {_per_cent_text(fraction)} of the rows: "
        "accuracy alone says little, and a decision threshold may be what you want: "
        "threshold_for='f1'"
    ]


def _per_cent_text(fraction: float) -> str:
    """A fraction below 1 in per cent, with enough digits to be below 100 %."""
    texts = (f"{fraction:.{digits}%}" for digits in range(MOST_DIGITS))
    return next((text for text in texts if not text.startswith("100")), "nearly 100%")
