"""The loss that an estimator's network learns by, and its relation to scikit-learn's."""

from __future__ import annotations

from typing import NamedTuple

from thinnet.arithmetic import lane_sum, log_gamma, tree_mean, x_log_y
from thinnet.arrays import Array
from thinnet.estimators.convergence import Scale
from thinnet.losses import Loss
from thinnet.uncertainty.draws.heads import ClassHead, Head, NumberHead


class TrainingLoss(NamedTuple):
    """A network's loss, its factor in training, and the map to the loss scikit-learn reports."""

    loss: Loss
    loss_factor: float = 1.0
    scale: Scale = Scale()


def training_loss(head: Head, targets: Array, sample_weight: Array | None) -> TrainingLoss:
    if isinstance(head, ClassHead):
        outputs = 1.0 if head.kind == "multiclass" else float(head.width)
        return TrainingLoss(head.loss, outputs, Scale(outputs))
    outputs = float(head.n_outputs)
    if head.kind == "squared_error":
        return TrainingLoss(head.loss, outputs / 2, Scale(0.5))
    less = _of_perfect(targets, sample_weight) if head.kind == "poisson" else 0.0
    return TrainingLoss(head.loss, outputs, Scale(outputs, less))


def _of_perfect(targets: Array, sample_weight: Array | None) -> float:
    """The log likelihood of a perfect fit, at which scikit-learn's deviance is 0."""
    if (targets < 0).any():
        raise ValueError(f"y must be >= 0 with loss='poisson', got {targets.min():g}")
    perfect = x_log_y(targets, targets) - targets - log_gamma(targets + 1.0)
    return float(tree_mean(lane_sum(perfect.T), sample_weight))


def strata(head: Head, targets: Array) -> Array | None:
    """The labels that the held-out part is stratified by, as in scikit-learn; None for none."""
    if isinstance(head, NumberHead) or head.kind != "binary":
        return None
    return targets.astype(bool)[:, None]
