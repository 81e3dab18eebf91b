"""The target of a regression in the units that a network learns best in, and back."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.arithmetic import exp, expm1, log, log1p, tree_mean, tree_variance
from thinnet.arrays import Array

LEAST: Final = 1e-9  # the least 1 + y / unit; the log of smaller ones is minus infinity
MOST_LOG: Final = 100.0  # the limit of logs of expected targets and variances, far from all data
SKEWED: Final = 1.0  # the skewness from which on targets >= 0 are learned as logarithms


class TargetScale(NamedTuple):
    """``(f(y) - center) / scale``; f is ``log(1 + y / unit)`` where `unit` is above 0, else y."""

    center: Array
    scale: Array
    unit: Array

    @classmethod
    def of(cls, y: Array) -> TargetScale:
        """The scale for targets of shape (rows, outputs)."""
        unit = np.array([_unit(column) for column in y.T])
        z = _logged(y, unit)
        spread = np.sqrt(tree_variance(z))
        return cls(tree_mean(z), np.where(spread > 0, spread, 1.0), unit)

    def forward(self, y: Array) -> Array:
        return (_logged(y, self.unit) - self.center) / self.scale

    def back(self, z: Array) -> Array:
        """Numbers from the network, of any float type, in the target's own units."""
        y = z.astype(np.float64) * self.scale + self.center
        logged = self.unit > 0
        y[..., logged] = expm1(y[..., logged]) * self.unit[logged]
        return y

    def log_slope(self, y: Array) -> Array:
        """The log of the derivative of `forward`; minus infinity where targets can't be."""
        logged = self.unit > 0
        z = np.zeros(y.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(y > -self.unit, -log(y + self.unit), -np.inf)
        z[..., logged] = slope[..., logged]
        return z - log(self.scale)

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Mean and variance of a Gaussian in the target's own units; log-normal where logged."""
        logged = self.unit > 0
        center, spread = mean * self.scale + self.center, variance * np.square(self.scale)
        m, v, unit = center[..., logged], spread[..., logged], self.unit[logged]
        v = np.minimum(v, MOST_LOG)
        mean = np.minimum(m + v / 2, MOST_LOG)
        center[..., logged] = expm1(mean) * unit
        spread[..., logged] = expm1(v) * exp(2 * mean) * np.square(unit)
        return center, spread

    @property
    def least(self) -> Array:
        """The lower bound of targets: 0 for a target learned as a logarithm."""
        return np.where(self.unit > 0, 0.0, -np.inf)


def _unit(column: Array) -> float:
    """The median of a skewed target if it is never negative, else 0."""
    positive = column[column > 0]
    if (column < 0).any() or not len(positive):
        return 0.0
    return float(np.median(positive)) if _skewness(column) > SKEWED else 0.0


def _skewness(column: Array) -> float:
    """The mean of cubed differences from the mean, over the standard deviation cubed."""
    shifted = column - column[:1]
    differences = shifted - tree_mean(shifted)
    variance = tree_mean(np.square(differences))
    cubes = tree_mean(differences * np.square(differences))
    return float(cubes / (variance * np.sqrt(variance))) if variance > 0 else 0.0


def _logged(y: Array, unit: Array) -> Array:
    logged = unit > 0
    z = np.array(y, np.float64)
    z[:, logged] = log1p(np.maximum(z[:, logged] / unit[logged], LEAST - 1))
    return z
