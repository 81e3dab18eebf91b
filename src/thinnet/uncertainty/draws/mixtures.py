"""Mixtures: distributions of numbers with one component for each draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np

from thinnet.arithmetic import (
    HALF_LOG_2_PI,
    exp,
    log,
    normal_cdf,
    normal_cdf_and_density,
    normal_quantile,
    poisson_cdf,
    poisson_log_chance,
)
from thinnet.arrays import Array
from thinnet.uncertainty.draws import reducing

MOST_STEPS: Final = 100  # the limit of a search for a quantile; bisection alone needs fewer
LOG_VARIANCES: Final = (-30.0, 30.0)  # the range of log variances that a network predicts
PRECISION: Final = 1e-10  # the error of a quantile, relative to the width of the first bracket


@runtime_checkable
class Mixture(Protocol):
    """The distribution of targets, shape (rows, outputs), with equal weight on each draw."""

    def means(self) -> Array:
        """The mean of each draw, shape (n_draws, rows, outputs), in the target's own units."""
        ...

    def variances(self) -> Array:
        """The variance of the noise around each draw; it broadcasts to the shape of `means`."""
        ...

    def log_density(self, y: Array) -> Array:
        """The joint log density of each row's targets, shape (rows,)."""
        ...

    def distribution(self, y: Array) -> Array:
        """The probability of a target of at most `y`, shape (rows, outputs)."""
        ...

    def quantile(self, level: float) -> Array:
        """The quantile at a level, shape (rows, outputs)."""
        ...


@runtime_checkable
class Units(Protocol):
    """An increasing map between the target's own units and those of the network."""

    @property
    def least(self) -> Array | float:
        """The lower bound of targets."""
        ...

    def forward(self, y: Array) -> Array: ...

    def back(self, z: Array) -> Array: ...

    def log_slope(self, y: Array) -> Array:
        """The log of the derivative of `forward`, shape (rows, outputs)."""
        ...

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Mean and variance, in the target's units, of a Gaussian in the network's units."""
        ...


class OwnUnits:
    """The map of networks that work in the target's own units."""

    least = -math.inf

    def forward(self, y: Array) -> Array:
        return y

    def back(self, z: Array) -> Array:
        return z

    def log_slope(self, y: Array) -> Array:
        return np.zeros(y.shape)

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        return mean, variance


OWN_UNITS: Final = OwnUnits()


@dataclass(frozen=True, slots=True)
class Gaussians:
    """``p(y) = mean over t of N(y; centers_t, spread_t^2)`` (Gal and Ghahramani 2016, eq. 8).

    Attributes
    ----------
    centers : array, shape (n_draws, rows, outputs)
        The predictions of the draws, in the units of the network.
    spread : array that broadcasts to that shape
        The standard deviations of the noise, above 0.
    units : Units
    """

    centers: Array
    spread: Array
    units: Units

    def means(self) -> Array:
        return self._moments()[0]

    def variances(self) -> Array:
        return self._moments()[1]

    def _moments(self) -> tuple[Array, Array]:
        variance = np.broadcast_to(np.square(self.spread), self.centers.shape)
        return self.units.moments(self.centers, variance)

    def log_density(self, y: Array) -> Array:
        error = (self.units.forward(y) - self.centers) / self.spread
        each = -error * error / 2 - log(self.spread) - HALF_LOG_2_PI
        together = reducing.log_mean_exp(reducing.sum_along(each))
        return together + reducing.sum_along(self.units.log_slope(y))

    def distribution(self, y: Array) -> Array:
        """The probability of a target of at most `y`, shape (rows, outputs)."""
        return reducing.mean(normal_cdf((self.units.forward(y) - self.centers) / self.spread))

    def _below_and_density(self, z: Array) -> tuple[Array, Array]:
        """Distribution function and density, in the units of the network."""
        below, density = normal_cdf_and_density((z - self.centers) / self.spread)
        return reducing.mean(below), reducing.mean(density / self.spread)

    def quantile(self, level: float) -> Array:
        """The quantile by Newton's steps inside the bracket of the single draws' quantiles.

        The steps for a row end when its own quantile is found, whatever other rows there are.
        """
        of_each = self.centers + self.spread * normal_quantile(level)
        low, high = of_each.min(axis=0), of_each.max(axis=0)
        near, z = PRECISION * (high - low), (low + high) / 2
        going = near > 0
        for _ in range(MOST_STEPS):
            below, density = self._below_and_density(z)
            over = below - level
            low, high = np.where(over < 0, z, low), np.where(over < 0, high, z)
            with np.errstate(all="ignore"):  # far from all draws the density is 0
                newton = z - over / density
            inside = (newton > low) & (newton < high)
            step = np.where(inside, newton, (low + high) / 2) - z
            z = z + np.where(going, step, 0.0)
            going &= np.abs(step) > near
            if not going.any():
                break
        return np.maximum(self.units.back(z), self.units.least)


def with_own_noise(outputs: Array, units: Units) -> Gaussians:
    """The mixture of networks with means and log variances side by side (`GaussianNLL`).

    The logs are clipped to `LOG_VARIANCES`, because far from all data they may have any value.
    """
    centers, log_variances = np.split(outputs.astype(np.float64), 2, axis=-1)
    return Gaussians(centers, exp(np.clip(log_variances, *LOG_VARIANCES) / 2), units)


@dataclass(frozen=True, slots=True)
class Poissons:
    """``p(y) = mean over t of Poisson(y; rates_t)``; rates of shape (n_draws, rows, outputs)."""

    rates: Array

    def means(self) -> Array:
        return self.rates

    def variances(self) -> Array:
        return self.rates

    def log_density(self, y: Array) -> Array:
        return reducing.log_mean_exp(reducing.sum_along(poisson_log_chance(y, self.rates)))

    def distribution(self, y: Array) -> Array:
        return reducing.mean(poisson_cdf(np.floor(y), self.rates))

    def _bracket(self, level: float) -> tuple[Array, Array]:
        """Counts below and not below the quantile, by Cantelli's inequality for each draw."""
        sizes = np.sqrt(self.rates)
        with np.errstate(invalid="ignore"):  # of infinite rates
            least = self.rates - sizes * math.sqrt((1 - level) / level)
        most = self.rates + sizes * math.sqrt(level / (1 - level))
        low = np.maximum(np.floor(least.min(axis=0)) - 1, -1.0)
        return low, np.floor(most.max(axis=0)) + 1

    def quantile(self, level: float) -> Array:
        """The least count k for which P(y <= k) is at least `level`."""
        low, high = self._bracket(level)
        for _ in range(MOST_STEPS):
            middle = np.floor((low + high) / 2)
            if not ((middle > low) & (middle < high)).any():
                break
            reaches = self.distribution(middle) >= level
            low, high = np.where(reaches, low, middle), np.where(reaches, middle, high)
        return np.where(np.isfinite(self.rates).all(axis=0), high, np.inf)
