"""The protocol of a loss, and the parts that all losses have in common.

A loss is a frozen description.  ``loss(outputs, targets)`` returns the mean over the rows and its
gradient by the raw outputs.  A class states its formula once, in ``rows``: the loss of each row,
and its derivative by the row's outputs.  Both are computed in float64, by the functions and sums of
`thinnet.arithmetic`, and rounded to the type of the outputs.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean, total_weight, tree_sum
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
    w = relative_weights(len(losses), weights, total)
    column = w.astype(slopes.dtype).reshape(-1, *[1] * (slopes.ndim - 1))
    return float(tree_sum(w * losses)), slopes * column


def relative_weights(rows: int, weights: Weights | None, total: float | None = None) -> Array:
    """Each row's weight, or 1, over `total`, by default the weight of all."""
    if weights is None:
        return np.full(rows, 1.0 / (rows if total is None else total))
    w = weights.astype(np.float64)
    return w / (total_weight(w) if total is None else total)


def difference(outputs: Rows, targets: Array) -> Rows:
    """``z - y`` in float64."""
    return outputs.astype(np.float64) - targets


def mean_of_outputs(each: Rows, slopes: Rows, outputs: Rows) -> tuple[Weights, Rows]:
    """The mean of each row's numbers, and its slopes from those of their sum, in a network's type.

    A number beyond the type's range becomes infinite.
    """
    dtype, rows = outputs.dtype, each.reshape(len(each), -1)
    mean = lane_mean(rows.T)
    return mean.astype(dtype), (slopes / rows.shape[1]).astype(dtype)


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
    w = relative_weights(len(targets), weights).reshape(-1, *[1] * (targets.ndim - 1))
    residual = tree_sum(w * np.square(targets - predicted.astype(np.float64)))
    return mean_r_squared(residual, spread_of(targets, w))


def spread_of(targets: Rows, w: Array) -> Array:
    """The sum of squares of each output's targets around their mean, with relative weights."""
    shifted = targets - targets[:1]  # exactly 0 where y is constant
    return np.asarray(tree_sum(w * np.square(shifted - tree_sum(w * shifted))))


def mean_r_squared(residual: Array, spread: Array) -> float:
    """The mean over outputs of ``1 - residual / spread``; 0 where the spread is."""
    each = np.where(spread > 0, 1 - residual / np.where(spread > 0, spread, 1), 0)
    return float(lane_mean(each.reshape(-1)))


def r_squared_score(
    self: Loss, outputs: Rows, targets: Array, weights: Weights | None = None
) -> float:
    """The method `score` of a regression loss."""
    return r_squared(self.predict(outputs), targets, weights)
