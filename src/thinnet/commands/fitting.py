"""Train on a table's file, and score the model on rows that were held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from thinnet._version import __version__
from thinnet.arrays import Array
from thinnet.checks import UnfitSettingError
from thinnet.commands import conformal, remarks, scoring, task_text
from thinnet.commands.blame import data_at_fault
from thinnet.commands.coverage import CoverageCheck
from thinnet.commands.evaluating import Answers, answers, scores
from thinnet.commands.fit_job import FitJob, check_of_task
from thinnet.commands.holding_out import Part, Parts, parts
from thinnet.console.tables import counted, printable
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.columns import amounts
from thinnet.tables.members import held_out
from thinnet.tables.reading.spooling import called, on_disk
from thinnet.tables.regressor import TableRegressor
from thinnet.training import INTERRUPTED
from thinnet.uncertainty.draws.heads import ClassHead

__all__ = ["FitJob", "Outcome", "fit"]


class Outcome(NamedTuple):
    """A fitted estimator, its answers on the test rows, and its scores there; none without any."""

    estimator: Any
    answers: Answers | None
    scores: list[scoring.Score]


def fit(
    job: FitJob, progress: bool | None = None, report: Callable[[str], object] | None = None
) -> Outcome:
    """Read, hold out a part, train, measure.

    Parameters
    ----------
    job : FitJob
    progress : bool, optional
        Show progress bars; None shows them on terminals and in notebooks.
    report : callable, optional
        Is called with a line about the task and its rows before training begins.

    Raises
    ------
    DataFileError
        If a file can't be read, or its target or columns can't be used.
    KeyboardInterrupt
        If Ctrl-C comes before the training of any network has ended; later the others are left
        out, which `interrupted_` and `notes_` state.
    """
    test_file = None if job.test is None else on_disk(job.test)
    job = replace(job, table=on_disk(job.table), test=test_file)
    _check_memory(job)
    found = parts(job)
    task = task_text.task(job, found)
    if report is not None:
        report(task)
    estimator, train = _trained(job, found, progress)
    test = found.test
    answered = None if test is None else answers(estimator, test.frame, test.y)
    estimator.card_ = _card(job, train, test, _baseline(estimator, train.y)) | {"task": task}
    measured = [] if answered is None else scores(estimator, answered)
    estimator.card_["scores"] = scoring.as_values(measured)
    estimator.card_["remarks"] = _remarks(job, estimator, answered)
    if test is not None:
        estimator.card_["held"] = _held(estimator, test)
    return Outcome(estimator, answered, measured)


def _trained(job: FitJob, found: Parts, progress: bool | None) -> tuple[Any, Part]:
    """A fitted estimator, and the rows that it has learned from."""
    estimator = _estimator(job, found.reading.task, progress)
    train, apart = found.train, None
    if job.conformal:
        kept, held = held_out(train.y, conformal.FRACTION, job.seed)
        train, apart = train.rows(kept), train.rows(held)
        conformal.check(len(apart.y))
    with data_at_fault(), amounts.written_with(found.dialect.decimal):
        estimator.fit(train.frame, train.y, whole=found.table)
    _check_trained(estimator)
    estimator.dialect_, estimator.target_name_ = found.dialect, job.target
    estimator.target_decimal_ = found.reading.decimal
    if apart is not None:
        conformal.learn(estimator, apart.frame, apart.y)
    return estimator, train


def _estimator(job: FitJob, task: str, progress: bool | None) -> Any:
    check_of_task(job.settings, task, UnfitSettingError)
    kind = TableClassifier if task == "classification" else TableRegressor
    return kind(
        random_state=job.seed,
        progress=progress,
        kinds=dict(job.kinds) or None,
        missing=job.missing,
        **job.settings,
    )


def _held(estimator: Any, test: Part) -> str:
    """The sentence on the observed coverage of intervals or sets on the test rows."""
    check = CoverageCheck(estimator)
    check.add(test.frame, test.y)
    return check.message()


def _remarks(job: FitJob, estimator: Any, found: Answers | None) -> list[str]:
    """Sentences without which the scores would mislead."""
    if found is None:
        return []
    of_test = "" if job.test is None else remarks.of_test(estimator.card_, job.test)
    head = estimator.head_
    of_classes = remarks.of_classes(head.classes, found.y) if isinstance(head, ClassHead) else ""
    return [remark for remark in (of_test, of_classes) if remark]


def _check_memory(job: FitJob) -> None:
    """Raise MemoryError, in the first seconds, if the table is too large for this machine."""
    known = TableRegressor().get_params()
    settings = {name: value for name, value in job.settings.items() if name in known}
    estimator = TableRegressor(kinds=dict(job.kinds) or None, missing=job.missing, **settings)
    estimator.check_memory(job.table, (job.target, *job.leave_out), job.header)


def _check_trained(estimator: Any) -> None:
    """Raise KeyboardInterrupt if Ctrl-C came before the training of any network ended."""
    if estimator.histories_[0].stopped == INTERRUPTED:
        raise KeyboardInterrupt("interrupted before a network was trained; no model is saved")


def _baseline(estimator: Any, y: Array) -> list[float]:
    """The plainest prediction: the classes' frequencies, the mean, or the one quantile learned."""
    head = estimator.head_
    if isinstance(head, ClassHead):
        return [float((y == label).mean()) for label in head.classes]
    return [float(y.mean() if head.has_distributions else np.quantile(y, *head.levels))]


def _card(job: FitJob, train: Part, test: Part | None, plain: list[float]) -> dict[str, Any]:
    """The facts about a model that `thinnet show` prints."""
    tested = f"{job.test_fraction:.0%} of the rows" if job.test is None else called(job.test)
    return {
        "table": printable(called(job.table)),
        "content": remarks.content(job.table),
        "target": job.target,
        "rows": len(train.y),
        "tested on": None
        if test is None
        else f"{printable(tested)}, {counted(len(test.y), 'row')}",
        "left out": list(job.leave_out),
        "plain": plain,
        "seed": job.seed,
        "thinnet": __version__,
    }
