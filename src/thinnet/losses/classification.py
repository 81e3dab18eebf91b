"""Losses for classes: raw outputs are logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_sum, log, sigmoid, softmax, softplus, tree_mean
from thinnet.arithmetic.exponentials import as_columns, exponentials
from thinnet.arrays import Array, Features, Out, Rows, TargetLike, Weights
from thinnet.formulas.explaining import LossPart
from thinnet.formulas.trees import EXP, LOG, SIGMOID, SOFTPLUS, Node, node, total
from thinnet.losses.base import mean_of_outputs, real_targets, weighted_mean, width_of

LARGE: Final = 500.0  # of outputs: exp is infinite above 709
TINY: Final = 1e-300  # of probabilities: the log of a smaller one is not exact


@dataclass(frozen=True, slots=True)
class SoftmaxCrossEntropy:
    """``-sum_k t_k log softmax(z)_k`` for class labels, one-hot or soft targets.

    Parameters
    ----------
    label_smoothing : float
        In [0, 1): targets become ``(1 - s) * t + s / K`` (Szegedy et al. 2016, section 7).

    Raises
    ------
    ValueError
        If labels are not integers from 0 to K - 1, or soft targets don't sum to 1.

    Examples
    --------
    >>> value, gradient = SoftmaxCrossEntropy()(np.zeros((1, 2)), np.array([0]))
    >>> round(value, 4), gradient
    (0.6931, array([[-0.5,  0.5]]))
    """

    label_smoothing: float = 0.0

    score_name: ClassVar[str] = "accuracy"
    __call__ = weighted_mean

    def __post_init__(self) -> None:
        checks.below_one("label_smoothing", self.label_smoothing)

    def targets(self, y: TargetLike, out: Features) -> Array:
        n_classes = width_of(self, out)
        y = checks.finite("y", checks.numeric("y", y))
        return _checked_labels(y, n_classes) if y.ndim == 1 else _checked_soft(y, n_classes)

    def rows(self, outputs: Out, targets: Array) -> tuple[Weights, Out]:
        t = self._one_hot(targets, outputs)
        found = exponentials(as_columns(outputs))
        # A target of 0 adds nothing to the loss, even if the log of its probability is -inf.
        with np.errstate(invalid="ignore"):
            terms = np.where(t > 0, t * (log(found.total) - found.d), 0)
        slopes = (found.probabilities - t).T
        return lane_sum(terms).astype(outputs.dtype), slopes.astype(outputs.dtype)

    def _one_hot(self, targets: Array, outputs: Out) -> Array:
        """The targets as probabilities of the classes, smoothed, in columns."""
        n, s = outputs.shape[1], self.label_smoothing
        t = np.zeros((n, len(outputs))) if targets.ndim == 1 else as_columns(targets)
        if targets.ndim == 1:
            t[targets, np.arange(len(targets))] = 1
        return (1 - s) * t + s / n if s else t

    def predict(self, outputs: Out) -> Out:
        return softmax(outputs)

    def score(self, outputs: Out, targets: Array, weights: Weights | None = None) -> float:
        labels = targets if targets.ndim == 1 else targets.argmax(axis=1)
        return float(tree_mean(outputs.argmax(axis=1) == labels, weights))

    def explain(self, part: LossPart) -> None:
        z, n = part.z, range(part.z.shape[1])
        p = part.make("p", softmax(z.values.astype(np.float64)))
        top = z.values.max(axis=1).tolist()

        def raised(i: int, k: int) -> Node:
            return EXP(z[i, k] - top[i] if abs(top[i]) > LARGE else z[i, k])

        def log_of(i: int, k: int) -> Node:
            if p.values[i, k] > TINY:
                return LOG(p[i, k])
            return z[i, k] - top[i] - LOG(total(EXP(z[i, j] - top[i]) for j in n))

        def loss(i: int) -> Node:
            targets = ((self._explained(part, i, k), k) for k in n)
            return -total(_times(t, log_of(i, k)) for t, k in targets if t != node(0))

        p.by(lambda i, k: raised(i, k) / total(raised(i, j) for j in n))
        part.rows(loss, lambda i, k: p[i, k] - self._explained(part, i, k))

    def _explained(self, part: LossPart, i: int, k: int) -> Node:
        """The target of a class in a row: 1 or 0 of a label, smoothed where the loss does so."""
        labels, s = part.t.values.ndim == 1, self.label_smoothing
        plain = node(float(part.t.values[i] == k)) if labels else part.t[i, k]
        return (1 - node(s)) * plain + node(s) / part.z.shape[1] if s else plain


def _times(target: Node, logarithm: Node) -> Node:
    return logarithm if target == node(1) else target * logarithm


def _checked_labels(y: Array, n_classes: int) -> Array:
    bad = (y != np.floor(y)) | (y < 0) | (y >= n_classes)
    if bad.any():
        row = int(np.argmax(bad))
        hint = " (for numbers pass loss=SquaredError())" if n_classes == 1 else ""
        raise ValueError(
            f"labels must be integers from 0 to {n_classes - 1}, got {y[row]} in row {row}{hint}"
        )
    return y.astype(np.intp)


def _checked_soft(y: Array, n_classes: int) -> Array:
    if y.shape[1:] != (n_classes,):
        raise ValueError(
            f"y must be labels or an array of shape (rows, {n_classes}), got shape {y.shape}"
        )
    bad = (y < 0).any(axis=1) | ~np.isclose(y.sum(axis=1), 1, atol=1e-4)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"soft targets must be >= 0 and sum to 1 in each row, got {y[row]} in row {row}"
        )
    return y


@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy:
    """``log(1 + exp(z)) - t * z``, the mean over outputs; targets in [0, 1].

    Raises
    ------
    ValueError
        If a target lies outside [0, 1].

    Examples
    --------
    >>> round(BinaryCrossEntropy()(np.zeros((1, 1)), np.ones((1, 1)))[0], 4)
    0.6931
    """

    score_name: ClassVar[str] = "accuracy"
    __call__ = weighted_mean

    def targets(self, y: TargetLike, out: Features) -> Array:
        y = real_targets(y, out)
        outside = (y < 0) | (y > 1)
        if outside.any():
            raise ValueError(
                f"y must be in [0, 1] for binary cross-entropy, got {y[outside][0]:g} in row "
                f"{int(np.argwhere(outside)[0][0])}"
            )
        return y

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        z = outputs.astype(np.float64)
        each, slopes = softplus(z) - targets * z, sigmoid(z) - targets
        return mean_of_outputs(each, slopes, outputs)

    def predict(self, outputs: Rows) -> Rows:
        return sigmoid(outputs).astype(outputs.dtype)

    def score(self, outputs: Rows, targets: Array, weights: Weights | None = None) -> float:
        """The fraction of rows whose outputs are all on the right side of 1/2."""
        hits = ((outputs > 0) == (targets > 0.5)).reshape(len(outputs), -1).all(axis=1)
        return float(tree_mean(hits, weights))

    def explain(self, part: LossPart) -> None:
        part.mean_of_outputs(lambda z, t: SOFTPLUS(z) - t * z, lambda z, t: SIGMOID(z) - t)
