"""The shape of the distribution of errors, learned from rows held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from thinnet.arithmetic import (
    HALF_LOG_2_PI,
    exp,
    lane_sum,
    log,
    normal_cdf,
    normal_quantile,
    tree_sum,
)
from thinnet.arrays import Array
from thinnet.uncertainty.draws import reducing
from thinnet.uncertainty.draws.mixtures import Gaussians, Units

ENOUGH: Final = 40  # errors; from fewer only their size is learned
ROWS_A_KNOT: Final = 20
MOST_KNOTS: Final = 41
IN_A_TAIL: Final = 5  # errors beyond the last knot
LEAST_SLOPE: Final = 1e-3  # relative to the mean slope, so that no density is infinite
GRID: Final = np.linspace(-5, 5, 81)  # normal scores on which moments are integrated
LARGEST: Final = 1e150  # a number whose square is still finite


class Shape(NamedTuple):
    """An increasing, piecewise linear map of normal scores to standardised errors.

    A standardised error is ``errors(w)`` for standard normal w; so its distribution is that of the
    errors on rows held out, with Gaussian tails beyond the last knots.

    Attributes
    ----------
    scores : array, shape (knots,)
    errors : array, shape (outputs, knots)
    """

    scores: Array
    errors: Array

    def at(self, scores: Array) -> Array:
        """Errors at normal scores of any shape, shape (\\*scores, outputs)."""
        return np.stack([_linear(scores, self.scores, e)[0] for e in self.errors], axis=-1)

    def score(self, errors: Array) -> tuple[Array, Array]:
        """Normal scores of errors of shape (rows, outputs), and their derivatives."""
        pairs = [_linear(errors[:, j], e, self.scores) for j, e in enumerate(self.errors)]
        scores, slopes = (np.stack(part, axis=-1) for part in zip(*pairs, strict=True))
        return scores, slopes


def _linear(x: Array, knots: Array, values: Array) -> tuple[Array, Array]:
    """The piecewise linear function through the knots, continued beyond them, and its slope."""
    at = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    slope = (np.diff(values) / np.diff(knots))[at]
    return values[at] + (x - knots[at]) * slope, slope


def shape_of(errors: Array, weights: Array | None = None) -> Shape:
    """The shape of standardised errors of shape (rows, outputs); if they are few, only a size.

    The quantile at level p of n errors is the one of rank ``p * (n + 1)``, as in split-conformal
    prediction.  With weights a row takes as much of the ranks as it weighs, and n is Kish's
    effective number of rows, ``sum(w)^2 / sum(w^2)``.
    """
    rows = float(len(errors))
    if weights is not None:
        rows = float(np.square(tree_sum(weights)) / tree_sum(np.square(weights)))
        weights = weights * (rows / tree_sum(weights))
    if rows < ENOUGH:
        squares = np.square(errors) if weights is None else weights[:, None] * np.square(errors)
        size = np.sqrt(tree_sum(squares) / max(rows - 1, 1))[:, None]
        return Shape(np.array([-1.0, 1.0]), np.maximum(size, LEAST_SLOPE) * np.array([-1.0, 1.0]))
    knots = int(np.clip(rows // ROWS_A_KNOT, 3, MOST_KNOTS)) | 1
    last = -normal_quantile(IN_A_TAIL / (rows + 1))
    scores = np.linspace(-last, last, knots)
    found = _quantiles(errors, normal_cdf(scores), weights, rows).T
    return Shape(scores, increasing(scores, found))


def _quantiles(errors: Array, levels: Array, weights: Array | None, rows: float) -> Array:
    """Quantiles of each output, shape (levels, outputs); `weights` sum to `rows`."""
    if weights is None:
        return np.quantile(errors, levels, axis=0, method="weibull")
    found = np.empty((len(levels), errors.shape[1]))
    for j, column in enumerate(errors.T):
        order = np.argsort(column, kind="stable")
        w = weights[order]
        ranks = np.cumsum(w) + (1 - w) / 2  # 1, 2, 3, ... without weights
        found[:, j] = np.interp(levels * (rows + 1), ranks, column[order])
    return found


def increasing(scores: Array, values: Array) -> Array:
    """Values at scores, along the last axis, with slopes above 0 (`LEAST_SLOPE`).

    The value in the middle stays.
    """
    mean = np.ptp(values, axis=-1, keepdims=True) / np.ptp(scores)
    steps = np.maximum(np.diff(values), np.maximum(LEAST_SLOPE * mean, 1e-12) * np.diff(scores))
    sums = np.pad(np.cumsum(steps, axis=-1), [(0, 0)] * (values.ndim - 1) + [(1, 0)])
    middle = values.shape[-1] // 2
    return np.asarray(sums - sums[..., [middle]] + values[..., [middle]])


def standardised(mixture: Gaussians) -> tuple[Array, Array]:
    """The mean and standard deviation of each row, in network units, shape (rows, outputs)."""
    noise = np.broadcast_to(np.square(mixture.spread), mixture.centers.shape)
    variance = reducing.variance(mixture.centers) + reducing.mean(noise)
    return reducing.mean(mixture.centers), np.sqrt(variance)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A distribution with mean and spread of a mixture and the shape of errors on rows held out.

    ``y = back(mean + spread * error)``, with mean and spread in the units of the network; several
    outputs are taken as independent.
    """

    mixture: Gaussians
    shape: Shape
    mean: Array
    spread: Array

    @classmethod
    def of(cls, mixture: Gaussians, shape: Shape) -> Calibrated:
        return cls(mixture, shape, *standardised(mixture))

    @property
    def units(self) -> Units:
        return self.mixture.units

    def means(self) -> Array:
        return self.mixture.means()

    def variances(self) -> Array:
        return self.mixture.variances()

    def log_density(self, y: Array) -> Array:
        scores, slopes = self._scores(y)
        each = log(slopes) - np.square(scores) / 2 - HALF_LOG_2_PI
        each += self.units.log_slope(y) - log(self.spread)
        return reducing.sum_along(each)

    def distribution(self, y: Array) -> Array:
        return normal_cdf(self._scores(y)[0])

    def _scores(self, y: Array) -> tuple[Array, Array]:
        return self.shape.score((self.units.forward(y) - self.mean) / self.spread)

    def quantile(self, level: float) -> Array:
        return self._at(self.shape.at(np.array([normal_quantile(level)]))[0])

    def _at(self, errors: Array) -> Array:
        with np.errstate(over="ignore"):
            y = self.units.back(self.mean + self.spread * errors)
        return np.maximum(y, self.units.least)

    def moments(self) -> tuple[Array, Array]:
        """The mean and standard deviation of a new target, in its own units."""
        return integrated(self._at(self.shape.at(GRID)[:, None, :]))


def integrated(y: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of numbers at the normal scores of `GRID`, the first axis."""
    weights = exp(-np.square(GRID) / 2)
    weights *= len(GRID) / lane_sum(weights)
    y, weights = np.clip(y, -LARGEST, LARGEST), weights[:, None, None]
    mean = reducing.mean(weights * y)
    return mean, np.sqrt(reducing.mean(weights * np.square(y - mean)))
