"""A model's answers for rows with known targets, and its scores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError, quoted
from thinnet.commands import scoring, targets
from thinnet.commands.blame import data_at_fault
from thinnet.commands.coverage import CoverageCheck
from thinnet.tables.reading import blocks
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.heads import ClassHead


class Answers(NamedTuple):
    """Targets (for classes their places), and probabilities or numbers for the same rows."""

    y: Array
    predicted: Array


def answers(estimator: Any, frame: Frame, y: Array) -> Answers:
    if isinstance(estimator.head_, ClassHead):
        return Answers(estimator.head_.known(y), estimator.predict_proba(frame))
    return Answers(y, estimator.predict(frame))


def scores(estimator: Any, found: Answers) -> list[scoring.Score]:
    plain = np.array(estimator.card_["plain"])
    if isinstance(estimator.head_, ClassHead):
        return scoring.of_classes(*found, plain, estimator.head_.places(found.predicted))
    if not estimator.head_.has_distributions:
        return scoring.of_quantile(*found, float(plain[0]), *estimator.head_.levels)
    return scoring.of_numbers(*found, float(plain[0]))


@data_at_fault()
def evaluate(
    estimator: Any, table: str | os.PathLike[str], coverage_check: CoverageCheck | None = None
) -> Answers:
    """Answers for all rows of a file whose target is known, read in blocks and added to the check.

    Raises
    ------
    DataFileError
        If the file can't be read, lacks the target, or has no row whose target is known.
    """
    found = []
    for rows in known(estimator, table, coverage_check):
        y = truth(estimator, rows)
        found.append(answers(estimator, rows, y))
        if coverage_check is not None:
            coverage_check.add(rows, y)
    y, predicted = zip(*found, strict=True)
    return Answers(np.concatenate(y), np.concatenate(predicted))


def known(
    estimator: Any, table: str | os.PathLike[str], coverage_check: CoverageCheck | None = None
) -> Iterator[Frame]:
    """The rows of each block that have a target; DataFileError after the last block if none has.

    The rows without one are counted in the check.
    """
    target, empty = estimator.target_name_, True
    for i, block in enumerate(blocks(table, None, estimator.dialect_)):
        frame = block.frame
        if i == 0:
            targets.check_there(frame, target)
        rows = frame[targets.known(estimator, frame[target]).notna()]
        if coverage_check is not None:
            coverage_check.without_target += len(frame) - len(rows)
        if len(rows):
            empty = False
            yield rows
    if empty:
        raise DataFileError(
            f"{table} must hold values of the target column {quoted(target)}, got missing cells "
            "only; fill some in to measure the model by, or run `thinnet predict` instead"
        )


def truth(estimator: Any, rows: Frame) -> Array:
    """The targets of rows in which they are known, as labels or numbers."""
    cells = targets.known(estimator, rows[estimator.target_name_])
    head = estimator.head_
    if isinstance(head, ClassHead):
        return targets.labels(cells, head.classes)
    return targets.as_learned(cells, head.decimals)
