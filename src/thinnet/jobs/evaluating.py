"""A model's answers for rows with known targets, and its scores."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.jobs import scoring, targets
from thinnet.tables.cells import Frame
from thinnet.tables.reading import blocks


class Answers(NamedTuple):
    """Targets (for classes their places), and probabilities or numbers for the same rows."""

    y: Array
    predicted: Array


def answers(estimator: Any, frame: Frame, y: Array) -> Answers:
    if hasattr(estimator, "classes_"):
        return Answers(np.searchsorted(estimator.classes_, y), estimator.predict_proba(frame))
    return Answers(y, estimator.predict(frame))


def scores(estimator: Any, found: Answers) -> list[scoring.Score]:
    plain = np.array(estimator.card_["plain"])
    if hasattr(estimator, "classes_"):
        return scoring.of_classes(*found, plain)
    return scoring.of_numbers(*found, float(plain[0]))


def evaluate(estimator: Any, table: str | os.PathLike[str]) -> Answers:
    """Answers for all rows of a file whose target is known, read in blocks.

    Raises
    ------
    DataFileError
        If the file can't be read, or lacks the target.
    """
    found = [
        _of_block(estimator, block.frame) for block in blocks(table, None, _dialect(estimator))
    ]
    y, predicted = zip(*(part for part in found if part is not None), strict=True)
    return Answers(np.concatenate(y), np.concatenate(predicted))


def _of_block(estimator: Any, frame: Frame) -> Answers | None:
    cells = targets.column(frame, estimator.target_name_)
    known = cells.notna()
    if not known.any():
        return None
    cells = cells[known]
    if hasattr(estimator, "classes_"):
        return answers(estimator, frame[known], targets.labels(cells, estimator.classes_))
    return answers(estimator, frame[known], targets.numbers(cells))


def _dialect(estimator: Any) -> Any:
    return getattr(estimator, "dialect_", None)
