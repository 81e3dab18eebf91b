"""Metrics, and the scores of one set of rows again and again, of which a part is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.arithmetic.sums import in_blocks, padded, sum_of_blocks
from thinnet.arrays import Array, Rows, Weights
from thinnet.losses.base import Loss, mean_r_squared, r_squared_score, relative_weights, spread_of

Scorer: TypeAlias = Callable[[Rows], float]


@runtime_checkable
class Metric(Protocol):
    """What outputs are scored by, where larger is better; each loss is one.

    `score_name` is the name of the score, as a history shows it.
    """

    @property
    def score_name(self) -> str: ...

    def score(self, outputs: Rows, targets: Array, weights: Weights | None = None) -> float:
        """The score of raw outputs."""
        ...


def scorer(metric: Metric, targets: Array, weights: Weights | None = None) -> Scorer:
    """``metric.score(outputs, targets, weights)`` as a function of the outputs."""
    is_r_squared = getattr(type(metric), "score", None) is r_squared_score
    if is_r_squared and isinstance(metric, Loss) and len(targets) > ROWS_OF_A_LEAF:
        return _RSquared(metric, targets, weights)
    return lambda outputs: metric.score(outputs, targets, weights)


class _RSquared:
    """The arrays of a sum over rows, laid out as it adds them."""

    def __init__(self, loss: Loss, targets: Array, weights: Weights | None) -> None:
        self._predict, self._rows = loss.predict, len(targets)
        w = relative_weights(len(targets), weights).reshape(-1, *[1] * (targets.ndim - 1))
        self._spread = spread_of(targets, w)
        self._targets = np.ascontiguousarray(in_blocks(padded(targets)))
        self._weights = w[0] if weights is None else np.ascontiguousarray(in_blocks(padded(w)))
        self._predicted, self._each = padded(targets), np.empty_like(self._targets)

    def __call__(self, outputs: Rows) -> float:
        each = self._each
        self._predicted[: self._rows] = self._predict(outputs)
        np.subtract(self._targets, in_blocks(self._predicted), out=each)
        np.multiply(self._weights, np.square(each, out=each), out=each)
        return mean_r_squared(sum_of_blocks(each), self._spread)
