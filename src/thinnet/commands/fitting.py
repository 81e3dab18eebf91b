"""Train on a table's file, and score the model on rows that were held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import UnfitSettingError
from thinnet.commands import class_scores, conformal, remarks, scoring, task_text
from thinnet.commands.blame import data_at_fault
from thinnet.commands.cards import card
from thinnet.commands.class_scores import ClassScore
from thinnet.commands.coverage import CoverageCheck
from thinnet.commands.evaluating import Answers, answers, each_class, scores
from thinnet.commands.examples import Examples
from thinnet.commands.fit_job import FitJob, check_of_task
from thinnet.commands.holding_out import Part, Parts, check_classes, parts, split_text
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.columns import amounts
from thinnet.tables.reading.spooling import on_disk
from thinnet.tables.regressor import TableRegressor
from thinnet.tables.splitting import held_out
from thinnet.tables.taking import ROLES
from thinnet.training import INTERRUPTED
from thinnet.uncertainty.draws.heads import ClassHead

__all__ = ["FitJob", "Outcome", "fit"]


class Outcome(NamedTuple):
    """A fitted estimator, its answers on the test rows, and its scores there; none without any.

    The examples are of the test rows, or of the training rows where there are none to measure on.
    """

    estimator: Any
    answers: Answers | None
    scores: list[scoring.Score]
    classes: list[ClassScore]
    examples: Examples
    places: Array  # of the rows that were learned from, in the table


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
    split = split_text(job, found.train, found.test)
    for line in filter(None, (task, split)):
        if report is not None:
            report(line)
    estimator, train = _trained(job, found, progress)
    test = found.test
    answered = None if test is None else answers(estimator, test.frame, test.y, test.beside.weights)
    estimator.card_ = card(job, estimator, train, test)
    estimator.card_ |= {"task": task, "plain": _baseline(estimator, train)}
    estimator.card_ |= {"split": split} if split else {}
    measured = [] if answered is None else scores(estimator, answered)
    of_classes = [] if answered is None else each_class(estimator, answered)
    estimator.card_["scores"] = scoring.as_values(measured)
    estimator.card_["classes"] = class_scores.as_values(of_classes)
    estimator.card_["remarks"] = _remarks(job, estimator, answered)
    if test is not None:
        estimator.card_["held"] = _held(estimator, test)
    examples = Examples(estimator)
    examples.add(train.frame if test is None else test.frame, answered)
    places = train.frame.index.to_numpy()
    return Outcome(estimator, answered, measured, of_classes, examples, places)


def _trained(job: FitJob, found: Parts, progress: bool | None) -> tuple[Any, Part]:
    """A fitted estimator, and the rows that it has learned from."""
    estimator = _estimator(job, found.reading.task, progress)
    train, apart = found.train, None
    if job.conformal:
        with data_at_fault():
            kept, held = held_out(train.y, conformal.FRACTION, job.seed, train.beside)
        train, apart = train.rows(kept), train.rows(held)
        check_classes(job, train, apart, "the rows kept apart", "leave --conformal out")
        conformal.check(len(apart.y))
    with data_at_fault(), amounts.written_with(found.dialect.decimal):
        roles = zip(ROLES, train.beside, strict=True)
        given = {role: part for role, part in roles if part is not None}
        estimator.fit(train.frame, train.y, whole=found.table, **given)
    _check_trained(estimator)
    estimator.dialect_, estimator.target_name_ = found.dialect, job.target
    estimator.target_decimal_ = found.reading.decimal
    for role, name in (("sample_weight", job.weight), ("groups", job.group), ("time", job.time)):
        if name is not None:
            setattr(estimator, ROLES[role], name)
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
    estimator.check_memory(job.table, (job.target, *job.not_learned), job.header)


def _check_trained(estimator: Any) -> None:
    """Raise KeyboardInterrupt if Ctrl-C came before the training of any network ended."""
    if estimator.histories_[0].stopped == INTERRUPTED:
        raise KeyboardInterrupt("interrupted before a network was trained; no model is saved")


def _baseline(estimator: Any, train: Part) -> list[float]:
    """The plainest prediction: the classes' frequencies, the mean, or the quantile, all weighed."""
    head, (y, weights) = estimator.head_, (train.y, train.beside.weights)
    if isinstance(head, ClassHead):
        return [float(np.average(y == label, weights=weights)) for label in head.classes]
    if head.has_distributions:
        return [float(np.average(y, weights=weights))]
    how: dict[str, Any] = {} if weights is None else {"weights": weights, "method": "inverted_cdf"}
    return [float(np.quantile(y, *head.levels, **how))]
