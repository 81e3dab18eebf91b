"""Scores of one set of rows again and again: what does not change is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.arithmetic.sums import in_blocks, padded, sum_of_blocks
from thinnet.arrays import Array, Rows, Weights
from thinnet.losses.base import Loss, mean_r_squared, r_squared_score, relative_weights, spread_of

Scorer: TypeAlias = Callable[[Rows], float]


def scorer(loss: Loss, targets: Array, weights: Weights | None = None) -> Scorer:
    """``loss.score(outputs, targets, weights)`` as a function of the outputs."""
    if getattr(type(loss), "score", None) is r_squared_score and len(targets) > ROWS_OF_A_LEAF:
        return _RSquared(loss, targets, weights)
    return lambda outputs: loss.score(outputs, targets, weights)


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
