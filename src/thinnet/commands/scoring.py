"""The usual scores of a task, beside those of the plainest answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from rich.table import Table
from sklearn import metrics

from thinnet.arrays import Array
from thinnet.checks import quoted

LEAST: Final = 1e-15  # probability, so that a log loss stays finite


class Score(NamedTuple):
    """A figure of a model, that of the plainest answer, and whether larger is better."""

    name: str
    model: float
    baseline: float
    rises: bool

    @property
    def is_better(self) -> bool:
        return self.model > self.baseline if self.rises else self.model < self.baseline


class Classes(NamedTuple):
    """The labels of the classes, and the place of the one that two are about."""

    labels: tuple[str, ...]
    positive: int


def of_classes(
    y: Array,
    p: Array,
    frequencies: Array,
    decided: Array | None = None,
    classes: Classes | None = None,
    weights: Array | None = None,
) -> list[Score]:
    """Scores of probabilities `p` for labels at places `y`; the plain answer is the frequencies.

    Balanced accuracy, F1, ROC AUC and PR AUC are left out where a class is missing in `y`.

    Parameters
    ----------
    y : array of int, shape (rows,)
    p : array, shape (rows, n_classes)
    frequencies : array, shape (n_classes,)
        The frequencies of the classes in training, which every row gets as the plain answer.
    decided : array of int, shape (rows,), optional
        Places of the classes that the model predicts; by default the most probable ones.
    classes : Classes, optional
        By default their places, and the rarer of two.
    weights : array, shape (rows,), optional
        The rows' weights in all scores.
    """
    labels, plain = np.arange(p.shape[1]), np.tile(frequencies, (len(y), 1))
    there = np.unique(y)
    guessed = p.argmax(axis=1) if decided is None else decided

    def balanced(places: Array) -> float:
        hits = places == y
        return float(np.mean([_mean(hits, weights, y == k) for k in labels]))

    def log_loss(q: Array) -> float:
        return float(metrics.log_loss(y, proper(q), labels=labels, sample_weight=weights))

    def accuracy(places: Array) -> float:
        return _mean(places == y, weights)

    most = plain.argmax(axis=1)

    found = [
        Score("accuracy", accuracy(guessed), accuracy(most), True),
        Score("log loss", log_loss(p), log_loss(plain), False),
    ]
    if len(there) == len(labels):
        found.insert(1, Score("balanced accuracy", balanced(guessed), balanced(most), True))
        q = p[:, 1] if len(labels) == 2 else proper(p)
        of_all = {"labels": labels, "sample_weight": weights}
        area = float(metrics.roc_auc_score(y, q, multi_class="ovr", **of_all))
        found.append(Score("ROC AUC", area, 0.5, True))
        known = classes or Classes(tuple(map(str, labels)), int(np.argmin(frequencies)))
        found += _of_retrieval(Truth(y, weights), p, guessed, most, known)
    return found


class Truth(NamedTuple):
    """The places of the true classes, and the rows' weights."""

    y: Array
    weights: Array | None


def _of_retrieval(
    truth: Truth, p: Array, guessed: Array, most: Array, classes: Classes
) -> list[Score]:
    """PR AUC and F1 of one class of two, or the means over more."""
    y, weights = truth
    two = len(classes.labels) == 2
    wanted = [classes.positive] if two else range(len(classes.labels))
    name = f"{{}} of {quoted(classes.labels[classes.positive], 30)}" if two else "macro {}"

    def f1(places: Array) -> float:
        how = {"labels": list(wanted), "zero_division": 0.0, "sample_weight": weights}
        return float(np.mean(metrics.f1_score(y, places, average=None, **how)))

    area = [metrics.average_precision_score(y == k, p[:, k], sample_weight=weights) for k in wanted]
    by_chance = [_mean(y == k, weights) for k in wanted]
    return [
        Score(name.format("PR AUC"), float(np.mean(area)), float(np.mean(by_chance)), True),
        Score(name.format("F1"), f1(guessed), f1(most), True),
    ]


def _mean(values: Array, weights: Array | None, some: Array | slice = slice(None)) -> float:
    """The weighted mean of some of the values; 0 where they weigh nothing."""
    w = None if weights is None else weights[some]
    return 0.0 if w is not None and not w.any() else float(np.average(values[some], weights=w))


def proper(p: Array) -> Array:
    """Probabilities above 0 that sum to 1."""
    p = np.clip(p, LEAST, 1)
    return p / p.sum(axis=1, keepdims=True)


def of_numbers(
    y: Array, predicted: Array, mean: float, weights: Array | None = None
) -> list[Score]:
    """Scores of predicted numbers; the plain answer is the mean of the training rows."""
    plain = np.full(len(y), mean)

    def rmse(z: Array) -> float:
        return float(np.sqrt(_mean((y - z) ** 2, weights)))

    def r_squared(z: Array) -> float:
        spread = _mean((y - _mean(y, weights)) ** 2, weights)
        return 1 - _mean((y - z) ** 2, weights) / spread if spread > 0 else 0.0

    def mean_absolute(z: Array) -> float:
        return _mean(np.abs(y - z), weights)

    return [
        Score("RMSE", rmse(predicted), rmse(plain), False),
        Score("mean absolute error", mean_absolute(predicted), mean_absolute(plain), False),
        Score("R^2", r_squared(predicted), r_squared(plain), True),
    ]


def of_quantile(
    y: Array, predicted: Array, plain: float, level: float, weights: Array | None = None
) -> list[Score]:
    """The score of predicted quantiles; the plain answer is that of the training rows."""

    def pinball(z: Array) -> float:
        return float(metrics.mean_pinball_loss(y, z, alpha=level, sample_weight=weights))

    name = f"pinball loss at {level:g}"
    return [Score(name, pinball(predicted), pinball(np.full(len(y), plain)), False)]


def table(title: str, scores: Sequence[Score], plain: str, *, is_decided: bool = False) -> Table:
    """The scores, with those that are no better than the plain answer's marked.

    `is_decided`: classes are decided by weights or a threshold, at the cost of accuracy.
    """
    shown = Table("", "model", plain, title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    for score in scores:
        mark = "" if score.is_better else " (!)"
        shown.add_row(score.name, f"{number_text(score.model)}{mark}", number_text(score.baseline))
    shown.caption = _caption([s for s in scores if not s.is_better], scores, is_decided)
    return shown


def _caption(marked: Sequence[Score], scores: Sequence[Score], is_decided: bool) -> str | None:
    """The explanation of the marks, if there are any."""
    if not marked:
        return None
    useless = "(!) no better than the plain answer"
    if len(marked) == len(scores):
        return f"{useless}: this model is of no use"
    if is_decided and [score.name for score in marked] == ["accuracy"]:
        return f"{useless}, as is to be expected of accuracy where rare classes are to be found"
    return useless


def number_text(value: float) -> str:
    """A number with four digits; large ones whole, with commas."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def as_values(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """The scores as plain values for a model's file."""
    return [score._asdict() for score in scores]


def from_values(values: Sequence[Mapping[str, Any]]) -> list[Score]:
    return [Score(**value) for value in values]
