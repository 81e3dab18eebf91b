"""How well each class is found: precision, recall, F1 and the area under their curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from rich.table import Table
from sklearn import metrics

from thinnet.arrays import Array

MOST: Final = 20  # classes that are shown


class ClassScore(NamedTuple):
    """The figures of one class on the rows measured; NaN where nothing is there to be measured.

    Attributes
    ----------
    label : str
    rows : int
        How many rows are of the class.
    precision : float
        How many of those predicted as this class are of it, by their weights.
    recall : float
        How many of its rows are predicted as this class, by their weights.
    f1 : float
        The harmonic mean of both.
    pr_auc : float
        The average precision of its probabilities.
    """

    label: str
    rows: int
    precision: float
    recall: float
    f1: float
    pr_auc: float


def of_each(
    y: Array, p: Array, guessed: Array, labels: Sequence[str], weights: Array | None = None
) -> list[ClassScore]:
    """The figures of each class, in the classes' order.

    Parameters
    ----------
    y, guessed : array of int, shape (rows,)
        Places of the true classes and of the predicted ones.
    p : array, shape (rows, n_classes)
    labels : sequence of str, of length n_classes
    weights : array, shape (rows,), optional
        The rows' weights in all figures but their number.
    """
    places = list(range(len(labels)))
    rows = np.bincount(y, minlength=len(labels))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, guessed, labels=places, zero_division=np.nan, sample_weight=weights
    )

    def area_of(k: int) -> float:
        if not rows[k]:
            return math.nan
        return float(metrics.average_precision_score(y == k, p[:, k], sample_weight=weights))

    return [
        ClassScore(
            label, int(rows[k]), float(precision[k]), float(recall[k]), float(f1[k]), area_of(k)
        )
        for k, label in enumerate(labels)
    ]


def worst_first(scores: Sequence[ClassScore]) -> list[ClassScore]:
    """By F1; classes of which no row was measured come last."""
    return sorted(scores, key=lambda score: (not score.rows, score.f1))


def table(scores: Sequence[ClassScore]) -> Table:
    """The classes as a table, at most `MOST`, the worst ones first."""
    shown = Table("class", "rows", "precision", "recall", "F1", "PR AUC")
    for column in shown.columns[1:]:
        column.justify = "right"
    for score in worst_first(scores)[:MOST]:
        figures = map(figure_text, score[2:])
        shown.add_row(score.label, f"{score.rows:,}", *figures)
    shown.caption = caption(scores)
    return shown


def caption(scores: Sequence[ClassScore]) -> str | None:
    """Words about the classes that are not shown, if there are any."""
    if len(scores) <= MOST:
        return None
    return f"the {MOST} of {len(scores):,} classes that are found worst, by F1"


def figure_text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def as_values(scores: Sequence[ClassScore]) -> list[dict[str, Any]]:
    """The scores as plain values for a model's file."""
    return [score._asdict() for score in scores]


def from_values(values: Sequence[Mapping[str, Any]]) -> list[ClassScore]:
    return [ClassScore(**value) for value in values]
