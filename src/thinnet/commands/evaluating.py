"""A model's answers for rows with known targets, and its scores."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError, quoted
from thinnet.commands import class_scores, scoring, targets
from thinnet.commands.blame import data_at_fault
from thinnet.commands.class_scores import ClassScore
from thinnet.commands.coverage import CoverageCheck
from thinnet.tables.beside import weights_in
from thinnet.tables.reading import blocks
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.heads import ClassHead


class Answers(NamedTuple):
    """Targets (for classes their places), probabilities or numbers for the same rows, weights."""

    y: Array
    predicted: Array
    weights: Array | None = None

    @classmethod
    def joined(cls, parts: Sequence[Answers]) -> Answers:
        """The answers of several blocks of rows."""
        y, predicted, weights = zip(*parts, strict=True)
        together = None if weights[0] is None else np.concatenate(weights)
        return cls(np.concatenate(y), np.concatenate(predicted), together)


def answers(estimator: Any, frame: Frame, y: Array, weights: Array | None = None) -> Answers:
    if isinstance(estimator.head_, ClassHead):
        return Answers(estimator.head_.known(y), estimator.predict_proba(frame), weights)
    return Answers(y, estimator.predict(frame), weights)


def scores(estimator: Any, found: Answers) -> list[scoring.Score]:
    plain = np.array(estimator.card_["plain"])
    head = estimator.head_
    if isinstance(head, ClassHead):
        classes = scoring.Classes(tuple(map(str, head.classes)), positive(estimator))
        decided = head.places(found.predicted)
        return scoring.of_classes(*found[:2], plain, decided, classes, found.weights)
    if not head.has_distributions:
        (level,) = head.levels
        return scoring.of_quantile(*found[:2], float(plain[0]), level, found.weights)
    return scoring.of_numbers(*found[:2], float(plain[0]), found.weights)


def plain_answer(estimator: Any) -> str:
    """What the plainest answer is, beside which scores stand."""
    if isinstance(estimator.head_, ClassHead):
        return "most frequent class"
    return "mean" if estimator.head_.has_distributions else "the same for all rows"


def each_class(estimator: Any, found: Answers) -> list[ClassScore]:
    """The figures of each class; none of numbers."""
    head = estimator.head_
    if not isinstance(head, ClassHead):
        return []
    guessed = head.places(found.predicted)
    labels = [str(label) for label in head.classes]
    return class_scores.of_each(*found[:2], guessed, labels, found.weights)


def positive(estimator: Any) -> int:
    """The place of the positive class of two, as for `threshold_for`: the rarer or a named one."""
    decision = estimator.head_.decision
    frequencies = estimator.card_["plain"]
    return int(np.argmin(frequencies)) if decision is None else int(decision.positive)


class Blocks(Protocol):
    """What takes the rows of a table block by block, with their answers."""

    def add(self, rows: Frame, answers: Answers) -> None: ...


@data_at_fault()
def evaluate(
    estimator: Any,
    table: str | os.PathLike[str],
    coverage_check: CoverageCheck | None = None,
    examples: Blocks | None = None,
) -> Answers:
    """Answers for all rows of a file whose target is known, read in blocks and added to the check.

    Rows and answers are added to the examples, if there are any.

    Raises
    ------
    DataFileError
        If the file can't be read, lacks the target, or has no row whose target is known.
    """
    found = []
    for rows in known(estimator, table, coverage_check):
        y = truth(estimator, rows)
        found.append(answers(estimator, rows, y, weights_of(estimator, rows)))
        if coverage_check is not None:
            coverage_check.add(rows, y)
        if examples is not None:
            examples.add(rows, found[-1])
    return Answers.joined(found)


def known(
    estimator: Any, table: str | os.PathLike[str], coverage_check: CoverageCheck | None = None
) -> Iterator[Frame]:
    """The rows of each block that have a target and, if there are weights, one above 0.

    The rows without a target are counted in the check.

    Raises
    ------
    DataFileError
        After the last block, if there are none.
    """
    target, empty, of_no_weight = estimator.target_name_, True, 0
    for i, block in enumerate(blocks(table, None, estimator.dialect_)):
        frame = block.frame
        if i == 0:
            targets.check_there(frame, target)
        rows = frame[targets.known(estimator, frame[target]).notna()]
        if coverage_check is not None:
            coverage_check.without_target += len(frame) - len(rows)
        weights = weights_of(estimator, rows)
        if weights is not None:
            of_no_weight += int((weights == 0).sum())
            rows = rows[weights > 0]
        if len(rows):
            empty = False
            yield rows
    if empty and of_no_weight:
        raise DataFileError(
            f"{table} must hold rows of a weight above 0 in column "
            f"{quoted(estimator.weight_name_)}, got {of_no_weight} of weight 0"
        )
    if empty:
        raise DataFileError(
            f"{table} must hold values of the target column {quoted(target)}, got missing cells "
            "only; fill some in to measure the model by, or run `thinnet predict` instead"
        )


def weights_of(estimator: Any, rows: Frame) -> Array | None:
    """The weights of rows, where the model has learned with weights and the table has them."""
    name = vars(estimator).get("weight_name_")
    if name not in rows.columns:
        return None
    places = rows.index.to_numpy()
    return weights_in(rows[name], estimator.encoder_.missing_, places)


def truth(estimator: Any, rows: Frame) -> Array:
    """The targets of rows in which they are known, as labels or numbers."""
    cells = targets.known(estimator, rows[estimator.target_name_])
    head = estimator.head_
    if isinstance(head, ClassHead):
        return targets.labels(cells, head.classes)
    return targets.as_learned(cells, head.decimals)
