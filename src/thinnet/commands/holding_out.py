"""The training rows and the test rows, both checked before anything is trained."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError, quoted
from thinnet.commands import targets
from thinnet.commands.blame import data_at_fault
from thinnet.commands.fit_job import FitJob
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


def parts(job: FitJob) -> Parts:
    """Both parts, read and checked.

    Raises
    ------
    DataFileError
        If a file can't be read, or lacks a column or a target that can be used.
    """
    targets.check_kinds(job.kinds, job.target, job.leave_out)
    if job.test is not None:
        next(iter(blocks(job.test, 1, header=job.header)))  # before a large table is read
    frame, dialect = read_table(job.table, header=job.header, typed=False)
    with amounts.written_with(dialect.decimal):
        return _parts(job, frame, dialect)


def _parts(job: FitJob, frame: Frame, dialect: Dialect) -> Parts:
    reading = targets.target_reading(targets.column(frame, job.target, job.missing), job.task)
    _check_left_out(job, frame)
    others = frame.drop(columns=[job.target, *job.leave_out])
    with data_at_fault():
        whole = _part(job, frame, reading)
    if job.test is None:
        return Parts(whole, *_held_out(job, whole), reading, dialect, others)
    return Parts(whole, whole, _test(job, whole, reading, dialect), reading, dialect, others)


def _check_left_out(job: FitJob, frame: Frame) -> None:
    for name in job.leave_out:
        if name not in frame.columns:
            raise DataFileError(
                f"--leave-out must name columns of the table, one of "
                f"{naming.there(frame.columns)}; got {quoted(name)}"
                f"{naming.meant(name, frame.columns)}"
            )


def _part(job: FitJob, frame: Frame, reading: TargetReading, known: Array | None = None) -> Part:
    """Rows whose target is there, without the columns to leave out."""
    cells = targets.column(frame, job.target, job.missing)
    there = cells.notna()
    y = reading.read(cells[there], known)
    others = frame[there].drop(columns=[job.target, *job.leave_out], errors="ignore")
    return Part(others, y, int((~there).sum()))


def _test(job: FitJob, whole: Part, reading: TargetReading, dialect: Any) -> Part:
    assert job.test is not None
    frame, _ = read_table(job.test, dialect, header=job.header, typed=False)
    known = np.unique(whole.y) if reading.task == "classification" else None
    try:
        test = _part(job, frame, reading, known)
    except DataFileError as error:
        raise DataFileError(f"--test {os.fspath(job.test)}: {error}") from None
    for name in whole.frame.columns:
        lacks = name not in test.frame.columns
        if lacks and _is_learned(job, whole.frame, name):
            raise DataFileError(
                f"--test {os.fspath(job.test)} must have the columns of the table, got none "
                f"named {quoted(name)}{naming.meant(name, test.frame.columns)}"
            )
    return test


def _is_learned(job: FitJob, frame: Frame, name: str) -> bool:
    kinds = {key: kind for key, kind in job.kinds.items() if key == name}
    (column,) = columns_of(frame[[name]], kinds, words(job.missing))
    return column.kind != "left out"


def _held_out(job: FitJob, whole: Part) -> tuple[Part, Part | None]:
    if len(whole.y) * job.test_fraction < 1:
        return whole, None
    kept, held = held_out(whole.y, job.test_fraction, job.seed)
    return whole.rows(kept), whole.rows(held) if len(held) else None
