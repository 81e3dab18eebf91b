"""Train on a table's file, and say how good the model is on rows it has not seen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import thinnet
from thinnet import checks
from thinnet.arrays import Array
from thinnet.checks import DataFileError
from thinnet.jobs import scoring, targets
from thinnet.jobs.evaluating import Answers, answers, scores
from thinnet.tables.cells import Frame
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.members import held_out
from thinnet.tables.reading import read_table
from thinnet.tables.regressor import TableRegressor
from thinnet.training import INTERRUPTED


@dataclass(frozen=True)
class Order:
    """What `thinnet fit TABLE` was asked to do."""

    table: str | os.PathLike[str]
    target: str
    task: str = "auto"
    test: str | os.PathLike[str] | None = None
    test_fraction: float = 0.2
    leave_out: tuple[str, ...] = ()
    header: bool | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.one_of("--task", self.task, ("auto", "classification", "regression"))
        checks.below_one("--test-fraction", self.test_fraction)
        checks.integer("--seed", self.seed, 0, 2**32 - 1)


class Outcome(NamedTuple):
    """A fitted estimator, its answers on the test rows, and its scores there; none without any."""

    estimator: Any
    answers: Answers | None
    scores: list[scoring.Score]


class Part(NamedTuple):
    frame: Frame
    y: Array

    def rows(self, places: Array) -> Part:
        return Part(self.frame.iloc[places], self.y[places])


def fit(order: Order, progress: bool | None = None) -> Outcome:
    """Read, hold out a part, train, measure.

    Raises
    ------
    DataFileError
        If a file can't be read, or its target can't be used.
    ValueError
        If a setting is out of its range.
    KeyboardInterrupt
        At Ctrl-C before one of the networks was trained to its end; later the others are left out
        and `interrupted_` and `notes_` say so.
    """
    frame, dialect = read_table(order.table, header=order.header, typed=False)
    task = targets.task_of(targets.column(frame, order.target), order.task)
    whole = _part(order, frame, task)
    train, test = _parts(order, whole, task, dialect)
    kind = TableClassifier if task == "classification" else TableRegressor
    estimator = kind(random_state=order.seed, progress=progress, **order.settings)
    estimator.fit(train.frame, train.y)
    _check_trained(estimator)
    estimator.dialect_, estimator.target_name_ = dialect, order.target
    found = None if test is None else answers(estimator, test.frame, test.y)
    plain = _plain(estimator, train.y)
    estimator.card_ = _card(order, train, test, plain)
    measured = [] if found is None else scores(estimator, found)
    estimator.card_["scores"] = scoring.as_values(measured)
    return Outcome(estimator, found, measured)


def _check_trained(estimator: Any) -> None:
    """KeyboardInterrupt where Ctrl-C came before a network was trained to its end."""
    if estimator.histories_[0].stopped == INTERRUPTED:
        raise KeyboardInterrupt("interrupted before a network was trained; no model is saved")


def _part(order: Order, frame: Frame, task: targets.Task, known: Array | None = None) -> Part:
    """Rows whose target is there, without the columns to leave out."""
    cells = targets.column(frame, order.target)
    rows = frame[cells.notna()]
    cells = cells[cells.notna()]
    unknown = [name for name in order.leave_out if name not in frame.columns]
    if unknown:
        raise DataFileError(f"--leave-out must name columns of the table, got {unknown[0]!r}")
    y = targets.labels(cells, known) if task == "classification" else targets.numbers(cells)
    return Part(rows.drop(columns=[order.target, *order.leave_out]), y)


def _parts(order: Order, whole: Part, task: targets.Task, dialect: Any) -> tuple[Part, Part | None]:
    if order.test is not None:
        frame, _ = read_table(order.test, dialect, header=order.header, typed=False)
        known = np.unique(whole.y) if task == "classification" else None
        return whole, _part(order, frame, task, known)
    if len(whole.y) * order.test_fraction < 1:
        return whole, None
    kept, held = held_out(whole.y, order.test_fraction, order.seed)
    if task == "classification":
        kept, held = _with_all_classes(whole.y, kept, held)
    return whole.rows(kept), whole.rows(held) if len(held) else None


def _with_all_classes(y: Array, kept: Array, held: Array) -> tuple[Array, Array]:
    """A class whose few rows were all held out is learned instead: nobody can guess it unseen."""
    learned = set(y[kept])
    unseen = np.array([label not in learned for label in y[held]])
    return np.append(kept, held[unseen]), held[~unseen]


def _plain(estimator: Any, y: Array) -> list[float]:
    """What the plainest answer knows: the shares of the classes, or the mean."""
    if hasattr(estimator, "classes_"):
        return [float((y == label).mean()) for label in estimator.classes_]
    return [float(y.mean())]


def _card(order: Order, train: Part, test: Part | None, plain: list[float]) -> dict[str, Any]:
    """What `thinnet show` says of a model."""
    tested = order.test if order.test is not None else f"{order.test_fraction:.0%} of the rows"
    return {
        "table": Path(order.table).name,
        "target": order.target,
        "rows": len(train.y),
        "tested on": None if test is None else f"{Path(tested).name}, {len(test.y)} rows",
        "left out": list(order.leave_out),
        "plain": plain,
        "seed": order.seed,
        "thinnet": thinnet.__version__,
    }
