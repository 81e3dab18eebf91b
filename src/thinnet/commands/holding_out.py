"""The training rows and the test rows, both checked before anything is trained."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError, quoted
from thinnet.commands import targets
from thinnet.commands.blame import data_at_fault
from thinnet.commands.ordering import Order
from thinnet.commands.targets import TargetReading
from thinnet.tables.columns import amounts, naming
from thinnet.tables.columns.kinds import columns_of
from thinnet.tables.columns.missing import words
from thinnet.tables.members import held_out
from thinnet.tables.reading import blocks, read_table
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect


class Part(NamedTuple):
    """Rows whose target is known, and the number of others, which were left out."""

    frame: Frame
    y: Array
    without_target: int = 0

    def rows(self, places: Array) -> Part:
        return Part(self.frame.iloc[places], self.y[places])


class Parts(NamedTuple):
    """Training rows and test rows (if any) of a whole table, and how its target is read."""

    whole: Part
    train: Part
    test: Part | None
    reading: TargetReading
    dialect: Any
    table: Frame  # all rows, those without a target included


def parts(order: Order) -> Parts:
    """Both parts, read and checked.

    Raises
    ------
    DataFileError
        If a file can't be read, or lacks a column or a target that can be used.
    """
    targets.check_kinds(order.kinds, order.target, order.leave_out)
    if order.test is not None:
        next(iter(blocks(order.test, 1, header=order.header)))  # before a large table is read
    frame, dialect = read_table(order.table, header=order.header, typed=False)
    with amounts.written_with(dialect.decimal):
        return _parts(order, frame, dialect)


def _parts(order: Order, frame: Frame, dialect: Dialect) -> Parts:
    reading = targets.target_reading(targets.column(frame, order.target, order.missing), order.task)
    _check_left_out(order, frame)
    others = frame.drop(columns=[order.target, *order.leave_out])
    with data_at_fault():
        whole = _part(order, frame, reading)
    if order.test is None:
        return Parts(whole, *_held_out(order, whole), reading, dialect, others)
    return Parts(whole, whole, _test(order, whole, reading, dialect), reading, dialect, others)


def _check_left_out(order: Order, frame: Frame) -> None:
    for name in order.leave_out:
        if name not in frame.columns:
            raise DataFileError(
                f"--leave-out must name columns of the table, one of "
                f"{naming.there(frame.columns)}; got {quoted(name)}"
                f"{naming.meant(name, frame.columns)}"
            )


def _part(order: Order, frame: Frame, reading: TargetReading, known: Array | None = None) -> Part:
    """Rows whose target is there, without the columns to leave out."""
    cells = targets.column(frame, order.target, order.missing)
    there = cells.notna()
    y = reading.read(cells[there], known)
    others = frame[there].drop(columns=[order.target, *order.leave_out], errors="ignore")
    return Part(others, y, int((~there).sum()))


def _test(order: Order, whole: Part, reading: TargetReading, dialect: Any) -> Part:
    assert order.test is not None
    frame, _ = read_table(order.test, dialect, header=order.header, typed=False)
    known = np.unique(whole.y) if reading.task == "classification" else None
    try:
        test = _part(order, frame, reading, known)
    except DataFileError as error:
        raise DataFileError(f"--test {os.fspath(order.test)}: {error}") from None
    for name in whole.frame.columns:
        lacks = name not in test.frame.columns
        if lacks and _is_learned(order, whole.frame, name):
            raise DataFileError(
                f"--test {os.fspath(order.test)} must have the columns of the table, got none "
                f"named {quoted(name)}{naming.meant(name, test.frame.columns)}"
            )
    return test


def _is_learned(order: Order, frame: Frame, name: str) -> bool:
    kinds = {key: kind for key, kind in order.kinds.items() if key == name}
    (column,) = columns_of(frame[[name]], kinds, words(order.missing))
    return column.kind != "left out"


def _held_out(order: Order, whole: Part) -> tuple[Part, Part | None]:
    if len(whole.y) * order.test_fraction < 1:
        return whole, None
    kept, held = held_out(whole.y, order.test_fraction, order.seed)
    return whole.rows(kept), whole.rows(held) if len(held) else None
