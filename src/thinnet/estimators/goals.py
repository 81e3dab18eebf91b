"""What a network learns by, and how its loss relates to scikit-learn's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from thinnet.arrays import Array
from thinnet.estimators.convergence import Scale
from thinnet.losses import Loss
from thinnet.uncertainty.draws.heads import ClassHead, Head, NumberHead


class Goal(NamedTuple):
    """What a network learns: its loss, and how that relates to scikit-learn's."""

    loss: Loss
    loss_factor: float = 1.0
    scale: Scale = Scale()


def goal_of(head: Head, targets: Array, sample_weight: Array | None) -> Goal:
    if isinstance(head, ClassHead):
        outputs = 1.0 if head.kind == "multiclass" else float(head.width)
        return Goal(head.loss, outputs, Scale(outputs))
    outputs = float(head.n_outputs)
    if head.kind == "squared_error":
        return Goal(head.loss, outputs / 2, Scale(0.5))
    less = _of_perfect(targets, sample_weight) if head.kind == "poisson" else 0.0
    return Goal(head.loss, outputs, Scale(outputs, less))


def _of_perfect(targets: Array, sample_weight: Array | None) -> float:
    """What the likelihood of a perfect fit is: scikit-learn's deviance is 0 there."""
    if (targets < 0).any():
        raise ValueError(f"y must be >= 0 with loss='poisson', got {targets.min():g}")
    perfect = special.xlogy(targets, targets) - targets - special.gammaln(targets + 1)
    return float(np.average(perfect.sum(axis=1), weights=sample_weight))


def strata(head: Head, targets: Array) -> Array | None:
    """What a held-out part shall have the same frequencies of, as scikit-learn has it."""
    if isinstance(head, NumberHead) or head.kind != "binary":
        return None
    return targets.astype(bool)[:, None]
