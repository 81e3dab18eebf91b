"""The line that `thinnet fit` prints before it trains: the task, its rows, and why."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.commands.fit_job import FitJob
from thinnet.commands.holding_out import Parts
from thinnet.commands.scoring import number_text
from thinnet.tables.reading.spooling import called

MOST_CLASSES: Final = 4  # the largest number of classes that are named one by one


def task(job: FitJob, found: Parts) -> str:
    """The task, its classes or range, the rows used and left out, in one line."""
    reading, y = found.reading, found.whole.y
    what = _classes(y) if reading.task == "classification" else _range(y)
    task_of = f"{reading.task} of {quoted(job.target)}: {what}"
    parts = [task_of, _rows(job, found), *reading.notes]
    return "; ".join(parts)


def _classes(y: Array) -> str:
    labels, counts = np.unique(y, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    shown = ", ".join(f"{str(labels[k])!r} {counts[k]:,}" for k in most)
    others = ", ..." if len(labels) > MOST_CLASSES else ""
    return f"{len(labels)} classes ({shown}{others})"


def _range(y: Array) -> str:
    return f"numbers from {number_text(float(y.min()))} to {number_text(float(y.max()))}"


def _rows(job: FitJob, found: Parts) -> str:
    text = f"{len(found.train.y):,} rows to learn from"
    if found.test is not None and job.test is not None:
        text += f", {len(found.test.y):,} of {called(job.test)} to measure by"
    elif found.test is not None:
        text += f", {len(found.test.y):,} held out to measure by"
    missing = found.whole.without_target
    if job.test is not None and found.test is not None:
        missing += found.test.without_target
    if missing:
        text += f", {missing:,} left out: their target is missing"
    zeros = found.whole.without_weight
    if job.test is not None and found.test is not None:
        zeros += found.test.without_weight
    return f"{text}, {zeros:,} left out: their weight is 0" if zeros else text
