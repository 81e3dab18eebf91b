"""Normalisation: over the rows of a batch, and over the features of a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, SameRows
from thinnet.formulas.explaining import LayerPart, places
from thinnet.formulas.quantities import Place, Quantity
from thinnet.formulas.trees import SQRT, total
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

    def explain(self, part: LayerPart) -> None:
        x, y, dx, dy = part.x, part.y, part.dx, part.dy
        gamma, beta = part.p
        axis = 1 + self.axis % (len(x.shape) - 1)
        groups = [[at for at in places(x.shape) if at[axis] == f] for f in range(x.shape[axis])]
        learns, m, epsilon = part.run.learns, len(groups[0]), float(self.epsilon)
        mean, variance = self._explained_statistics(part, groups) if learns else part.s
        std = part.make("std", np.sqrt(variance.values + epsilon), "statistic", by_rows=False)
        std.by(lambda f: SQRT(variance[f] + epsilon))
        x_hat = part.make("x_hat", part.cache.x_hat, "statistic")
        x_hat.by(lambda *at: (x[at] - mean[at[axis]]) / std[at[axis]])
        y.by(lambda *at: gamma[at[axis]] * x_hat[at] + beta[at[axis]])
        if not part.has_slopes:
            return
        part.g.gamma.by(lambda f: total(dy[at] * x_hat[at] for at in groups[f]))
        part.g.beta.by(lambda f: total(dy[at] for at in groups[f]))
        wide = [self._broadcast(q.values, x.values) for q in (gamma, mean, std)]
        d_hat = part.make_back("x_hat", dy.values * wide[0])
        d_hat.by(lambda *at: dy[at] * gamma[at[axis]])
        if not learns:
            dx.by(lambda *at: d_hat[at] / std[at[axis]])
            return
        others, away = tuple(i for i in range(len(x.shape)) if i != axis), x.values - wide[1]
        of_variance = np.sum(d_hat.values * away, axis=others) * -0.5 / std.values**3
        d_variance = part.make_back("variance", of_variance, by_rows=False)
        d_variance.by(
            lambda f: total(d_hat[at] * (x[at] - mean[f]) for at in groups[f]) * -0.5 / std[f] ** 3
        )
        of_mean = -np.sum(d_hat.values, axis=others) / std.values
        d_mean = part.make_back("mean", of_mean, by_rows=False)
        d_mean.by(lambda f: -total(d_hat[at] for at in groups[f]) / std[f])
        dx.by(
            lambda *at: (
                d_hat[at] / std[at[axis]]
                + d_variance[at[axis]] * 2 * (x[at] - mean[at[axis]]) / m
                + d_mean[at[axis]] / m
            )
        )

    def _explained_statistics(
        self, part: LayerPart, groups: Sequence[Sequence[Place]]
    ) -> tuple[Quantity, Quantity]:
        """The batch's mean and variance, and how they move the running ones."""
        x, m = part.x, len(groups[0])
        others = (0, *(axis + 1 for axis in self._averaged_axes(x.values.ndim - 1)))
        own = x.values.mean(axis=others), x.values.var(axis=others)
        mean = part.make("mean", own[0], "statistic", by_rows=False)
        variance = part.make("variance", own[1], "statistic", by_rows=False)
        mean.by(lambda f: total(x[at] for at in groups[f]) / m)
        variance.by(lambda f: total((x[at] - mean[f]) ** 2 for at in groups[f]) / m)
        return mean, variance


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

    def explain(self, part: LayerPart) -> None:
        x, y, dx, dy = part.x, part.y, part.dx, part.dy
        gamma, beta = part.p
        inside, rows, epsilon = list(places(x.shape[1:])), range(len(x.values)), float(self.epsilon)
        m, axes = len(inside), tuple(range(1, len(x.shape)))
        mean = part.make("mean", x.values.mean(axis=axes), "statistic")
        mean.by(lambda i: total(x[i, *at] for at in inside) / m)
        variance = part.make("variance", x.values.var(axis=axes), "statistic")
        variance.by(lambda i: total((x[i, *at] - mean[i]) ** 2 for at in inside) / m)
        std = part.make("std", np.sqrt(variance.values + epsilon), "statistic")
        std.by(lambda i: SQRT(variance[i] + epsilon))
        x_hat = part.make("x_hat", part.cache.x_hat, "statistic")
        x_hat.by(lambda i, *at: (x[i, *at] - mean[i]) / std[i])
        y.by(lambda i, *at: gamma[at] * x_hat[i, *at] + beta[at])
        if not part.has_slopes:
            return
        part.g.gamma.by(lambda *at: total(dy[i, *at] * x_hat[i, *at] for i in rows))
        part.g.beta.by(lambda *at: total(dy[i, *at] for i in rows))
        d_hat = part.make_back("x_hat", dy.values * gamma.values)
        d_hat.by(lambda i, *at: dy[i, *at] * gamma[at])
        away = x.values - mean.values.reshape(-1, *[1] * len(axes))
        of_variance = np.sum(d_hat.values * away, axis=axes) * -0.5 / std.values**3
        d_variance = part.make_back("variance", of_variance)
        d_variance.by(
            lambda i: (
                total(d_hat[i, *at] * (x[i, *at] - mean[i]) for at in inside) * -0.5 / std[i] ** 3
            )
        )
        d_mean = part.make_back("mean", -np.sum(d_hat.values, axis=axes) / std.values)
        d_mean.by(lambda i: -total(d_hat[i, *at] for at in inside) / std[i])
        dx.by(
            lambda i, *at: (
                d_hat[i, *at] / std[i]
                + d_variance[i] * 2 * (x[i, *at] - mean[i]) / m
                + d_mean[i] / m
            )
        )
