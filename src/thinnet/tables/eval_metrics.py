"""What training of a table's networks stops by in place of the loss, named as scikit-learn does.

A score is that of what one network would answer: labels as `predict` decides on them without a
threshold, probabilities without the weights of classes, numbers in the target's own units.
Sums and functions are those of `thinnet.arithmetic`, so that a fit has the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean, lane_sum, tree_mean, tree_sum
from thinnet.arithmetic.sums import total_weight
from thinnet.arrays import Array, Rows, Weights
from thinnet.checks import SettingError
from thinnet.losses.base import r_squared
from thinnet.tables.heads import AmountHead, WeighedHead

LOSS: Final = "loss"
CLASSES: Final = (LOSS, "log_loss", "accuracy", "balanced_accuracy", "roc_auc", "f1", "brier")
NUMBERS: Final = (LOSS, "squared_error", "rmse", "absolute_error", "r2")
SPELT: Final[Mapping[str, str]] = {  # scikit-learn's scorers, whose names say that larger is better
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "auc": "roc_auc",
    "squared_error": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "absolute_error": "neg_mean_absolute_error",
}


def spelt(name: Any, known: tuple[str, ...]) -> str:
    """The scorer's name; SettingError where `name` is none of the known ones, or of their scorers.

    Parameters
    ----------
    name : str
    known : tuple of str
        `CLASSES`, `NUMBERS`, or both.
    """
    scorers = {SPELT.get(each, each) for each in known}
    found = SPELT.get(name, name) if isinstance(name, str) else ""
    if found not in scorers:
        allowed = f"one of {', '.join(map(repr, known))}, or scikit-learn's name for one of these"
        raise SettingError("eval_metric", allowed, repr(name))
    return found


@dataclass(frozen=True, eq=False)
class ClassMetric:
    """A metric of classes.

    Parameters
    ----------
    score_name : str
        The name of scikit-learn's scorer.
    head : WeighedHead
    positive : int
        The place of the class whose F1 is meant, of two; of more it is the mean over all.
    """

    score_name: str
    head: WeighedHead
    positive: int = 1

    def score(self, outputs: Rows, targets: Array, weights: Weights | None = None) -> float:
        w = np.ones(len(targets)) if weights is None else weights.astype(np.float64)
        return OF_CLASSES[self.score_name](self, outputs, targets, w)

    def check(self, targets: Array) -> None:
        """ValueError where rows held out have no score, since all are of one class."""
        if self.score_name == "roc_auc" and len(np.unique(targets)) < 2:
            one = checks.quoted(str(self.head.classes[targets[0]]))
            raise ValueError(
                "eval_metric='roc_auc' must have two classes among the rows held out from each "
                f"network, got only {one} there"
            )

    def probabilities(self, outputs: Rows) -> Array:
        return self.head.predict(outputs).astype(np.float64)

    def hits(self, outputs: Rows, y: Array) -> Array:
        """Whether each row's class is predicted."""
        return np.asarray(self.head.places(self.head.predict(outputs)) == y)


@dataclass(frozen=True, eq=False)
class NumberMetric:
    """A metric of numbers in the target's own units; of several outputs it is the mean."""

    score_name: str
    head: AmountHead

    def score(self, outputs: Rows, targets: Array, weights: Weights | None = None) -> float:
        back = self.head.units.back
        y = back(targets[:, : self.head.n_outputs])  # quantiles have them once for each level
        return OF_NUMBERS[self.score_name](back(self.head.predict(outputs)), y, weights)

    def check(self, targets: Array) -> None:
        """Any numbers have a score."""


Metric: TypeAlias = ClassMetric | NumberMetric


def _accuracy(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    return float(tree_mean(of.hits(outputs, y), w))


def _balanced_accuracy(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    hits = of.hits(outputs, y)
    return _mean([float(tree_mean(hits[y == k], w[y == k])) for k in np.unique(y)])


def _roc_auc(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    p, classes = of.probabilities(outputs), np.unique(y)
    if p.shape[1] == 2:
        classes = np.array([1])
    return _mean([_area(p[:, k], y == k, w) for k in classes])


def _area(p: Array, is_class: Array, w: Array) -> float:
    """The probability that a row of the class has a larger p than another, ties counted half."""
    _, place = np.unique(p, return_inverse=True)
    ours, others = (np.bincount(place, w * part, place.max() + 1) for part in (is_class, ~is_class))
    below = np.cumsum(others) - others / 2
    whole = float(tree_sum(ours)) * float(tree_sum(others))
    return float(tree_sum(ours * below)) / whole


def _f1(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    guessed, n = of.head.places(of.head.predict(outputs)), len(of.head.classes)
    return _mean([_f1_of(guessed == k, y == k, w) for k in ([of.positive] if n == 2 else range(n))])


def _f1_of(guessed: Array, true: Array, w: Array) -> float:
    """``2 hits / (guesses + rows of the class)``; 0 where there are neither."""
    hits, both = w * (guessed & true), w * guessed + w * true
    return 2 * total_weight(hits) / (total_weight(both) or 1.0)


def _neg_log_loss(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    logs = of.head.log_weights()
    plain = outputs if logs is None else (outputs - logs).astype(outputs.dtype)
    losses, _ = of.head.loss.rows(plain, y)
    return -float(tree_mean(losses.astype(np.float64), w))


def _neg_brier_score(of: ClassMetric, outputs: Rows, y: Array, w: Array) -> float:
    """Of two classes the squared error of one's probability, of more the sum over all."""
    p = of.probabilities(outputs)
    squares = np.square(p - (y[:, None] == np.arange(p.shape[1])))
    each = squares[:, 1] if p.shape[1] == 2 else lane_sum(np.ascontiguousarray(squares.T))
    return -float(tree_mean(each, w))


def _mean(values: list[float]) -> float:
    return float(lane_mean(np.array(values)))


OF_CLASSES: Final[Mapping[str, Callable[[ClassMetric, Rows, Array, Array], float]]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "roc_auc": _roc_auc,
    "f1": _f1,
    "neg_log_loss": _neg_log_loss,
    "neg_brier_score": _neg_brier_score,
}
OF_NUMBERS: Final[Mapping[str, Callable[[Array, Array, Weights | None], float]]] = {
    "neg_mean_squared_error": lambda z, y, w: -_mean(tree_mean(np.square(z - y), w)),
    "neg_root_mean_squared_error": lambda z, y, w: -_mean(np.sqrt(tree_mean(np.square(z - y), w))),
    "neg_mean_absolute_error": lambda z, y, w: -_mean(tree_mean(np.abs(z - y), w)),
    "r2": lambda z, y, w: r_squared(z, y, w),
}
