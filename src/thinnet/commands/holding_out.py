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
from thinnet.console.tables import counted, printable
from thinnet.tables.beside import Beside, groups_in, times_in, weights_in
from thinnet.tables.columns import amounts, naming
from thinnet.tables.columns.kinds import columns_of
from thinnet.tables.columns.missing import words
from thinnet.tables.reading import blocks, read_table
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.splitting import held_out


class Part(NamedTuple):
    """Rows whose target is known, what they have beside it, and how many others were left out.

    `times` are the cells of the column of --time as they are written.
    """

    frame: Frame
    y: Array
    beside: Beside = Beside()
    times: Array | None = None
    without_target: int = 0
    without_weight: int = 0

    def rows(self, places: Array) -> Part:
        times = None if self.times is None else self.times[places]
        return Part(self.frame.iloc[places], self.y[places], self.beside.at(places), times)


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
    targets.check_kinds(job.kinds, job.target, job.not_learned)
    if job.test is not None:
        next(iter(blocks(job.test, 1, header=job.header)))  # before a large table is read
    frame, dialect = read_table(job.table, header=job.header, typed=False)
    with amounts.written_with(dialect.decimal):
        return _parts(job, frame, dialect)


def _parts(job: FitJob, frame: Frame, dialect: Dialect) -> Parts:
    reading = targets.target_reading(targets.column(frame, job.target, job.missing), job.task)
    _check_left_out(job, frame)
    others = frame.drop(columns=[job.target, *job.not_learned])
    with data_at_fault():
        whole = _part(job, frame, reading)
    if job.test is None:
        return Parts(whole, *_held_out(job, whole), reading, dialect, others)
    return Parts(whole, whole, _test(job, whole, reading, dialect), reading, dialect, others)


def _check_left_out(job: FitJob, frame: Frame) -> None:
    for name in job.leave_out:
        _check_there("--leave-out must name columns", name, frame)
    for option in ("weight", "group", "time"):
        if (name := getattr(job, option)) is not None:
            _check_there(f"--{option} must name a column", name, frame)


def _check_there(wanted: str, name: str, frame: Frame) -> None:
    if name not in frame.columns:
        raise DataFileError(
            f"{wanted} of the table, one of {naming.there(frame.columns)}; got {quoted(name)}"
            f"{naming.meant(name, frame.columns)}"
        )


def _part(job: FitJob, frame: Frame, reading: TargetReading, known: Array | None = None) -> Part:
    """Rows whose target and weight are there, without the columns to leave out."""
    cells = targets.column(frame, job.target, job.missing)
    there = cells.notna()
    found = _beside(job, frame[there], np.flatnonzero(there))
    y = reading.read(cells[there], known)
    others = frame[there].drop(columns=[job.target, *job.not_learned], errors="ignore")
    times = None if job.time not in frame.columns else frame[job.time][there].to_numpy(object)
    whole = Part(others, y, found, times)
    weights = found.weights
    kept = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
    part = whole if len(kept) == len(y) else whole.rows(kept)
    return part._replace(without_target=int((~there).sum()), without_weight=len(y) - len(kept))


def _beside(job: FitJob, rows: Frame, places: Array) -> Beside:
    """What rows with a target have beside it: of --test no groups and times are needed."""
    missing, found = words(job.missing), dict[str, Array]()
    ways = (("weight", "weights", weights_in), ("group", "groups", groups_in),
            ("time", "times", times_in))  # fmt: skip
    for option, role, read in ways:
        name = getattr(job, option)
        if name in rows.columns:
            found[role] = read(rows[name], missing, places)
    weights = found.get("weights")
    if weights is not None and not weights.any():
        raise DataFileError(
            f"weight column {quoted(job.weight)} must be above 0 somewhere, got zeros only"
        )
    return Beside(**found)


def _test(job: FitJob, whole: Part, reading: TargetReading, dialect: Any) -> Part:
    assert job.test is not None
    frame, _ = read_table(job.test, dialect, header=job.header, typed=False)
    known = np.unique(whole.y) if reading.task == "classification" else None
    try:
        with data_at_fault():
            test = _part(job, frame, reading, known)
            if job.weight is not None:
                _check_there("--weight must name a column", job.weight, frame)
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
    with data_at_fault():
        kept, held = held_out(whole.y, job.test_fraction, job.seed, whole.beside)
    if not len(held):
        return whole.rows(kept), None
    train, test = whole.rows(kept), whole.rows(held)
    advice = f"take another --test-fraction than {job.test_fraction:g}"
    check_classes(job, train, test, "test rows", advice)
    return train, test


def check_classes(job: FitJob, train: Part, others: Part, which: str, advice: str) -> None:
    """DataFileError where a class is in `others` only, as time and groups may have it."""
    unseen = np.setdiff1d(others.y, train.y)
    if others.y.dtype.kind != "f" and len(unseen):
        by = "--time" if job.time is not None else "--group"
        raise DataFileError(
            f"{by} must leave rows of each class to learn from, got class {quoted(unseen[0])} in "
            f"{which} only; {advice}"
        )


def split_text(job: FitJob, train: Part, test: Part | None) -> str:
    """The line on how --time or --group has parted the rows; empty without."""
    if test is None:
        return ""
    rows = [counted(len(part.y), "row") for part in (train, test)]
    if train.times is not None and test.times is not None:
        last, first = _edge(train, np.argmax), _edge(test, np.argmin)
        return f"split: {rows[0]} until {last} for training, {rows[1]} from {first} on for the test"
    if train.beside.groups is None or test.beside.groups is None:
        return ""
    of = [counted(len(np.unique(g)), "group") for g in (train.beside.groups, test.beside.groups)]
    return f"split: {of[0]} ({rows[0]}) for training, {of[1]} ({rows[1]}) for the test"


def _edge(part: Part, which: Any) -> str:
    """The time of the last or the first row of a part, as it is written."""
    assert part.times is not None
    return printable(str(part.times[which(part.beside.times)]).strip())
