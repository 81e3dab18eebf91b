"""The protocol of a loss, and the parts that all losses have in common.

A loss is a frozen description.  ``loss(outputs, targets)`` returns the mean over the rows and its
gradient by the raw outputs.  A class states its formula once, in ``rows``: the loss of each row,
and its derivative by the row's outputs.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, Rows, TargetLike, Weights


@runtime_checkable
class Loss(Protocol):
    score_name: ClassVar[str]

    def targets(self, y: TargetLike, out: Features) -> Array:
        """The checked targets, in the form that the loss takes for outputs of shape `out`."""
        ...

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        """The loss of each row, and its derivative by that row's outputs."""
        ...

    def __call__(
        self,
        outputs: Rows,
        targets: Array,
        weights: Weights | None = None,
        total: float | None = None,
    ) -> tuple[float, Rows]:
        """The weighted mean over the rows, and its gradient."""
        ...

    def predict(self, outputs: Rows) -> Rows:
        """The prediction of raw outputs: probabilities or means."""
        ...

    def score(self, outputs: Rows, targets: Array, weights: Weights | None = None) -> float:
        """A score where larger is better: accuracy, or R^2."""
        ...


def weighted_mean(
    self: Loss,
    outputs: Rows,
    targets: Array,
    weights: Weights | None = None,
    total: float | None = None,
) -> tuple[float, Rows]:
    """``sum_i w_i * l_i / total`` and its gradient.

    `total` is by default the sum of the weights, or the number of rows without weights; it is
    given if the rows are a part of a larger batch.
    """
    losses, slopes = self.rows(outputs, targets)
    w = np.ones(len(losses)) if weights is None else weights.astype(np.float64)
    w = w / (w.sum() if total is None else total)
    column = w.astype(slopes.dtype).reshape(-1, *[1] * (slopes.ndim - 1))
    return float(np.vdot(w, losses)), slopes * column


def difference(outputs: Rows, targets: Array) -> Rows:
    """``z - y``, in the type of the outputs z."""
    return outputs - targets.astype(outputs.dtype, copy=False)


def mean_of_outputs(each: Rows) -> Weights:
    return each.reshape(len(each), -1).mean(axis=1)


def n_outputs(outputs: Rows) -> np.floating:
    """The number of outputs of a row, in their own type."""
    return outputs.dtype.type(outputs[0].size)


def real_targets(y: TargetLike, out: Features) -> Array:
    """Real targets of shape (rows, *out); with one output `y` may be one-dimensional."""
    y = checks.finite("y", checks.numeric("y", y)).astype(np.float64)
    if y.ndim == 1 and out == (1,):
        y = y[:, None]
    if y.shape[1:] != out:
        wanted = ", ".join(map(str, ("rows", *out)))
        raise ValueError(f"y must have the shape ({wanted}), got {y.shape}")
    return y


def real(self: Loss, y: TargetLike, out: Features) -> Array:
    """The method `targets` of a loss that takes any real numbers."""
    return real_targets(y, out)


def outputs_themselves(self: Loss, outputs: Rows) -> Rows:
    """`predict` of a loss whose raw outputs are the means."""
    return outputs


def width_of(self: Loss, out: Features) -> int:
    """The number of outputs; ValueError if they don't lie along one axis."""
    if len(out) != 1:
        raise ValueError(
            f"{self} must get outputs of shape (rows, outputs), got (rows, "
            f"{', '.join(map(str, out))}): put Flatten() before the last layer"
        )
    return out[0]


def r_squared(predicted: Rows, targets: Rows, weights: Weights | None = None) -> float:
    """The mean over outputs of ``1 - residual / total sum of squares``; 0 if y is constant."""
    w = np.ones(len(targets)) if weights is None else weights.astype(np.float64)
    w = w.reshape(-1, *[1] * (targets.ndim - 1)) / w.sum()
    residual = (w * (targets - predicted.astype(np.float64)) ** 2).sum(axis=0)
    spread = (w * (targets - (w * targets).sum(axis=0)) ** 2).sum(axis=0)
    return float(np.mean(np.where(spread > 0, 1 - residual / np.where(spread > 0, spread, 1), 0)))


def r_squared_score(
    self: Loss, outputs: Rows, targets: Array, weights: Weights | None = None
) -> float:
    """The method `score` of a regression loss."""
    return r_squared(self.predict(outputs), targets, weights)
