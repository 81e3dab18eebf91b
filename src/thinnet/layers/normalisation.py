"""Normalisation: over the rows of a batch, and over the features of a row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, SameRows
from thinnet.layers.base import Initial, Shapes, title
from thinnet.passes import Run, Site


class Params(NamedTuple):
    gamma: Any
    beta: Any


class State(NamedTuple):
    mean: Any
    variance: Any


class Counters(NamedTuple):
    seen: Any  # batches that have entered the running statistics


class Cache(NamedTuple):
    x_hat: Array
    inverse_std: Array
    learns: bool


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`` (Ioffe and Szegedy 2015).

    A learning pass takes mean and variance over the batch and adds them to the running
    statistics; every other pass uses those and leaves them alone.  They are a plain average over
    the first batches, then an exponential one, so that they are right from the first step on; the
    variance enters with the factor n / (n - 1), as in the paper's algorithm 2.

    Parameters
    ----------
    momentum : float
        The weight of the old running value in the new one, in [0, 1).  (0.9 here is
        ``momentum=0.1`` in PyTorch.)
    epsilon : float
        Added to the variance, above 0.
    axis : int
        The feature axis whose entries have their own statistics; all other axes are averaged over.

    Raises
    ------
    ValueError
        If a setting is out of its range, or a learning pass has one value per feature only.

    Examples
    --------
    >>> BatchNorm().shapes((50,)).params
    Params(gamma=(50,), beta=(50,))
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    axis: int = -1

    mixes_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.below_one("momentum", self.momentum)
        checks.positive("epsilon", self.epsilon)
        checks.integer("axis", self.axis, -32, 31)

    def shapes(self, features: Features) -> Shapes:
        checks.integer(f"axis of {title(self)}", self.axis, -len(features), len(features) - 1)
        each = (features[self.axis],)
        return Shapes(features, Params(each, each), State(each, each), Counters(each))

    def initialise(self, site: Site, initial: Initial) -> None:
        site.p.gamma[...], site.p.beta[...] = 1, 0
        site.s.mean[...], site.s.variance[...] = 0, 1

    def present(self, inputs: Array, outputs: Array) -> Params:
        alone = self.unitwise(outputs.shape)
        each = outputs if alone else np.ones(outputs.shape[self.axis], outputs.dtype)
        return Params(each, each)

    def unitwise(self, features: Features) -> bool:
        """Whether each unit has its own statistics; with several axes all units are present."""
        return len(features) == 1

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Cache]:
        mean, variance = self._learn(site, x, run) if run.learns else site.s
        inverse_std = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        x_hat = (x - self._broadcast(mean, x)) * self._broadcast(inverse_std, x)
        y = self._broadcast(site.p.gamma, x) * x_hat + self._broadcast(site.p.beta, x)
        return y, Cache(x_hat, inverse_std, run.learns)

    def backward(self, site: Site, cache: Cache, dy: SameRows) -> SameRows:
        others = (0, *(axis + 1 for axis in self._averaged_axes(dy.ndim - 1)))
        np.sum(dy * cache.x_hat, axis=others, out=site.g.gamma)
        np.sum(dy, axis=others, out=site.g.beta)
        slope = self._broadcast(site.p.gamma * cache.inverse_std, dy)
        if not cache.learns:
            return slope * dy
        m = dy.dtype.type(dy.size / site.g.beta.size)
        through_mean = self._broadcast(site.g.beta, dy)
        through_variance = cache.x_hat * self._broadcast(site.g.gamma, dy)
        return slope * (dy - (through_mean + through_variance) / m)

    def _learn(self, site: Site, x: SameRows, run: Run) -> State:
        """Add the batch's statistics to the running ones and return the batch's."""
        others = (0, *(axis + 1 for axis in self._averaged_axes(x.ndim - 1)))
        m = x.size // site.s.mean.size
        self.check_enough(m)
        mean, variance = x.mean(axis=others), x.var(axis=others)
        kept = site.presence(run)
        where = kept if kept is not None and self.unitwise(kept.shape) else True
        np.add(site.counters.seen, 1, out=site.counters.seen, where=where)
        # The weight of the new batch; the old value has 1 - weight, `momentum` after many batches.
        weight = np.maximum(1 - self.momentum, 1 / np.maximum(site.counters.seen, 1))
        for running, batch in zip(site.s, (mean, variance * (m / (m - 1))), strict=True):
            np.copyto(running, running + weight * (batch - running), where=where)
        return State(mean, variance)

    def check_enough(self, m: int) -> None:
        if m < 2:
            raise ValueError(
                f"{title(self)} must learn from at least 2 values per feature, got {m}"
            )

    def _averaged_axes(self, ndim: int) -> tuple[int, ...]:
        return tuple(axis for axis in range(ndim) if axis != self.axis % ndim)

    def _broadcast(self, values: Array, like: SameRows) -> Array:
        """`values` with the axes of `like`, so that they broadcast over rows and other axes."""
        shape = [1] * like.ndim
        shape[1 + self.axis % (like.ndim - 1)] = -1
        return values.reshape(shape)


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Normalise each row over all its features to `x_hat`; ``y = gamma * x_hat + beta``.

    Ba et al. 2016.

    Parameters
    ----------
    epsilon : float
        Added to the variance, above 0.

    Raises
    ------
    ValueError
        If `epsilon` is out of its range.

    Examples
    --------
    >>> LayerNorm().shapes((50,)).params
    Params(gamma=(50,), beta=(50,))
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        checks.positive("epsilon", self.epsilon)

    def shapes(self, features: Features) -> Shapes:
        return Shapes(features, Params(features, features))

    def initialise(self, site: Site, initial: Initial) -> None:
        site.p.gamma[...], site.p.beta[...] = 1, 0

    def present(self, inputs: Array, outputs: Array) -> Params:
        return Params(outputs, outputs)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Cache]:
        axes = tuple(range(1, x.ndim))
        variance = x.var(axis=axes, keepdims=True)
        inverse_std = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        x_hat = (x - x.mean(axis=axes, keepdims=True)) * inverse_std
        return site.p.gamma * x_hat + site.p.beta, Cache(x_hat, inverse_std, run.learns)

    def backward(self, site: Site, cache: Cache, dy: SameRows) -> SameRows:
        axes = tuple(range(1, dy.ndim))
        np.sum(dy * cache.x_hat, axis=0, out=site.g.gamma)
        np.sum(dy, axis=0, out=site.g.beta)
        d_hat = dy * site.p.gamma
        through_mean = d_hat.sum(axis=axes, keepdims=True)
        through_variance = cache.x_hat * (d_hat * cache.x_hat).sum(axis=axes, keepdims=True)
        m = dy.dtype.type(math.prod(site.features))
        return cache.inverse_std * (d_hat - (through_mean + through_variance) / m)
