"""Distributions of numbers with learned quantiles, each row of its own shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thinnet.arithmetic import HALF_LOG_2_PI, log, normal_cdf, normal_quantile
from thinnet.arrays import Array
from thinnet.losses import Pinball
from thinnet.losses.quantiles import median_weights
from thinnet.uncertainty.draws import reducing
from thinnet.uncertainty.draws.mixtures import Gaussians, Units
from thinnet.uncertainty.draws.shapes import GRID, Shape, increasing, integrated

NARROWEST: Final = 1e-12  # the width of the outermost quantiles, so that there is a density
OF_SCORES: Final = Shape(np.array([-1.0, 1.0]), np.array([[-1.0, 1.0]]))  # leaves them as they are


@dataclass(frozen=True, slots=True)
class Curves:
    """``y = back(g(s(w)))`` for standard normal w: g has a row's quantiles, s the shape of errors.

    g goes through the mean over draws of the quantiles, at the normal scores of their levels; it is
    linear between them and beyond, where tails are Gaussian.  s is learned on rows held out, so
    that the quantiles are those of new targets (Chernozhukov, Wuethrich and Zhu 2021, a
    distributional form of Romano, Patterson and Candes 2019).

    Attributes
    ----------
    each : Gaussians
        Of each draw the median, and the standard deviation that its outermost quantiles have.
    scores : array, shape (levels,)
        The normal scores of the levels, two at least.
    knots : array, shape (rows, outputs, levels)
        The quantiles in the units of the network, increasing.
    shape : Shape
    """

    each: Gaussians
    scores: Array
    knots: Array
    shape: Shape

    @classmethod
    def of(cls, outputs: Array, loss: Pinball, units: Units, shape: Shape | None) -> Curves:
        """The curves of raw outputs of shape (n_draws, rows, width)."""
        found, scores = loss.ascending(outputs), normal_quantile(np.array(loss.levels))
        middle = np.moveaxis(found, -2, 0) * median_weights(loss.levels)[:, None, None, None]
        widths = np.maximum(found[..., -1, :] - found[..., 0, :], NARROWEST)
        spread = widths / (scores[-1] - scores[0])
        knots = increasing(scores, np.moveaxis(reducing.mean(found), -2, -1))
        each = Gaussians(reducing.sum_along(np.moveaxis(middle, 0, -1)), spread, units)
        outputs_of = OF_SCORES._replace(errors=np.repeat(OF_SCORES.errors, knots.shape[1], axis=0))
        return cls(each, scores, knots, outputs_of if shape is None else shape)

    @property
    def units(self) -> Units:
        return self.each.units

    def means(self) -> Array:
        return self.each.means()

    def variances(self) -> Array:
        return self.each.variances()

    def log_density(self, y: Array) -> Array:
        z, slopes = self.scored(self.units.forward(y))
        w, more = self.shape.score(z)
        each = log(slopes) + log(more) - np.square(w) / 2 - HALF_LOG_2_PI
        return reducing.sum_along(each + self.units.log_slope(y))

    def distribution(self, y: Array) -> Array:
        """The probability of a target of at most `y`, shape (rows, outputs)."""
        z, _ = self.scored(self.units.forward(y))
        return normal_cdf(self.shape.score(z)[0])

    def quantile(self, level: float) -> Array:
        return self._at(np.array([normal_quantile(level)]))[0]

    def moments(self) -> tuple[Array, Array]:
        """The mean and standard deviation of a new target, in its own units."""
        return integrated(self._at(GRID))

    def scored(self, targets: Array) -> tuple[Array, Array]:
        """What g maps to targets in the network's units, (rows, outputs), and the derivative."""
        below = (self.knots <= targets[..., None]).sum(axis=-1)
        at = np.clip(below - 1, 0, len(self.scores) - 2)[..., None]
        low, high = (np.take_along_axis(self.knots, at + i, -1)[..., 0] for i in (0, 1))
        slopes = np.diff(self.scores)[at[..., 0]] / (high - low)
        return self.scores[at[..., 0]] + (targets - low) * slopes, slopes

    def _at(self, w: Array) -> Array:
        """Targets in their own units, (\\*w, rows, outputs), at normal scores."""
        z = self.shape.at(w)
        at = np.clip(np.searchsorted(self.scores, z, side="right") - 1, 0, len(self.scores) - 2)
        share = (z - self.scores[at]) / np.diff(self.scores)[at]
        found = np.empty((len(w), *self.knots.shape[:2]))
        for j in range(found.shape[-1]):
            low, high = self.knots[:, j, at[:, j]].T, self.knots[:, j, at[:, j] + 1].T
            found[..., j] = low + share[:, j, None] * (high - low)
        with np.errstate(over="ignore"):
            y = self.units.back(found)
        return np.maximum(y, self.units.least)
