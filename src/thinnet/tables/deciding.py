"""Decisions: the probability from which on a class is predicted, chosen on rows held out."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array

BEST: Final = ("f1", "balanced-accuracy")
AT_LEAST: Final = ("recall", "precision")
ALLOWED: Final = (
    "f1, balanced-accuracy, recall=FRACTION or precision=FRACTION, with a fraction in (0, 1]"
)


class Decision(NamedTuple):
    """The threshold from which on the class at place `positive` is predicted.

    The figures are those of that class on `rows` rows held out.
    """

    goal: str
    positive: int
    threshold: float
    precision: float
    recall: float
    f1: float
    balanced_accuracy: float
    rows: int

    def places(self, p: Array) -> Array:
        """The places of the predicted classes, for probabilities of shape (rows, 2)."""
        return np.where(p[:, self.positive] >= self.threshold, self.positive, 1 - self.positive)


def goal_of(text: Any) -> tuple[str, float]:
    """The measure that a goal names, and its least value (0 for none); ValueError for others."""
    name, _, fraction = str(text).partition("=")
    try:
        least = float(fraction) if fraction else 0.0
    except ValueError:
        least = -1.0
    known = name in (AT_LEAST if fraction else BEST) and (not fraction or 0 < least <= 1)
    checks.must(known, "threshold_for", ALLOWED, text)
    return name, least


def decision(
    goal: str, positive: int, p: Array, is_positive: Array, weights: Array | None = None
) -> Decision:
    """The threshold that is best for a goal.

    Parameters
    ----------
    goal : str
    positive : int
        The place of the class.
    p : array, shape (rows,)
        The probability of the class.
    is_positive : array of bool, shape (rows,)
        Whether the row is of that class.
    weights : array, shape (rows,), optional
        The rows' weights in the figures.
    """
    name, least = goal_of(goal)
    thresholds, figures = _figures(p, is_positive, np.ones(len(p)) if weights is None else weights)
    values = figures[name]
    if name in BEST:
        at = int(np.argmax(values))
    else:
        other = figures["precision" if name == "recall" else "recall"]
        enough = values >= min(least, values.max())
        at = int(np.argmax(np.where(enough, other, -1.0)))
    shown = {key.replace("-", "_"): float(column[at]) for key, column in figures.items()}
    return Decision(goal, positive, float(thresholds[at]), rows=len(p), **shown)


def decision_message(found: Decision, classes: Array) -> str:
    """A sentence about the decision."""
    name, least = goal_of(found.goal)
    reached = getattr(found, name.replace("-", "_"))
    missed = f"; no threshold reaches {found.goal}" if reached < least else ""
    return (
        f"class {str(classes[found.positive])!r} is predicted from a probability of "
        f"{found.threshold:.3g} on, for {found.goal}: on {found.rows} rows held out precision "
        f"{found.precision:.3g}, recall {found.recall:.3g}, F1 {found.f1:.3g}, balanced accuracy "
        f"{found.balanced_accuracy:.3g}{missed}"
    )


def _figures(p: Array, is_positive: Array, weights: Array) -> tuple[Array, dict[str, Array]]:
    """Thresholds between neighbouring probabilities, from above, and the figures of each."""
    order = np.argsort(-p, kind="stable")
    p, is_positive, weights = p[order], is_positive[order], weights[order]
    last = np.flatnonzero(np.append(p[1:] != p[:-1], True))
    thresholds = (p[last] + np.append(p[last][1:], 0.0)) / 2
    hits, taken = np.cumsum(weights * is_positive), np.cumsum(weights)
    n, others = hits[-1] or 1.0, (taken - hits)[-1] or 1.0
    hits, taken = hits[last], taken[last]
    recall, precision = hits / n, hits / taken
    figures = {
        "precision": precision,
        "recall": recall,
        "f1": 2 * hits / (taken + n),
        "balanced-accuracy": (recall + 1 - (taken - hits) / others) / 2,
    }
    return thresholds, {name: np.clip(each, 0, 1) for name, each in figures.items()}
