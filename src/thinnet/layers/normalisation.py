"""Normalisation of a feature over the rows of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, SameRows
from thinnet.formulas.explaining import LayerPart
from thinnet.formulas.quantities import Place, Quantity
from thinnet.formulas.trees import SQRT, Node, total
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
        axis, epsilon = 1 + self.axis % (len(x.shape) - 1), float(self.epsilon)
        learns = part.run.learns
        mean, variance = self._explained_statistics(part) if learns else part.s
        std = part.make("std", np.sqrt(variance.values + epsilon), "statistic", by_rows=False)
        std.each(lambda f: SQRT(variance[f] + epsilon))
        x_hat = part.make("x_hat", part.cache.x_hat, "statistic")
        x_hat.by(lambda *at: (x[at] - mean[at[axis]]) / std[at[axis]])
        y.by(lambda *at: gamma[at[axis]] * x_hat[at] + beta[at[axis]])
        if learns:
            self._explain_running(part, mean, variance)
        if not part.has_slopes:
            return
        part.g.gamma.by(lambda f: total(dy[at] * x_hat[at] for at in self._group(f, x)))
        part.g.beta.by(lambda f: total(dy[at] for at in self._group(f, x)))
        d_hat = part.make_back("x_hat", dy.values * self._broadcast(gamma.values, x.values))
        d_hat.by(lambda *at: dy[at] * gamma[at[axis]])
        if learns:
            self._explain_slope(part, (mean, std), d_hat)
        else:
            dx.by(lambda *at: d_hat[at] / std[at[axis]])

    def _explain_slope(
        self, part: LayerPart, statistics: tuple[Quantity, Quantity], d_hat: Quantity
    ) -> None:
        """The way back through mean and variance, as it is derived by hand."""
        x, (mean, std) = part.x, statistics
        axis, m = 1 + self.axis % (len(x.shape) - 1), x.values.size // len(mean.values)
        others = tuple(i for i in range(len(x.shape)) if i != axis)
        away = x.values - self._broadcast(mean.values, x.values)
        of_variance = np.sum(d_hat.values * away, axis=others) * -0.5 / std.values**3
        d_variance = part.make_back("variance", of_variance, by_rows=False)

        def by_variance(f: int) -> Node:
            group = self._group(f, x)
            return total(d_hat[at] * (x[at] - mean[f]) for at in group) * -0.5 / std[f] ** 3

        d_variance.by(by_variance)
        of_mean = -np.sum(d_hat.values, axis=others) / std.values
        d_mean = part.make_back("mean", of_mean, by_rows=False)
        d_mean.by(lambda f: -total(d_hat[at] for at in self._group(f, x)) / std[f])
        part.dx.by(
            lambda *at: (
                d_hat[at] / std[at[axis]]
                + d_variance[at[axis]] * 2 * (x[at] - mean[at[axis]]) / m
                + d_mean[at[axis]] / m
            )
        )

    def _group(self, feature: int, x: Quantity) -> list[Place]:
        """The places that one feature is normalised over."""
        sizes = list(map(range, x.shape))
        sizes[1 + self.axis % (len(x.shape) - 1)] = range(feature, feature + 1)
        return list(product(*sizes))

    def _explained_statistics(self, part: LayerPart) -> tuple[Quantity, Quantity]:
        """The batch's mean and variance."""
        x = part.x
        others = (0, *(axis + 1 for axis in self._averaged_axes(x.values.ndim - 1)))
        own = x.values.mean(axis=others), x.values.var(axis=others)
        mean = part.make("mean_of_batch", own[0], "statistic", by_rows=False)
        variance = part.make("variance_of_batch", own[1], "statistic", by_rows=False)
        m = x.values.size // len(mean.values)
        mean.by(lambda f: total(x[at] for at in self._group(f, x)) / m)
        variance.by(lambda f: total((x[at] - mean[f]) ** 2 for at in self._group(f, x)) / m)
        return mean, variance

    def _explain_running(self, part: LayerPart, *of_batch: Quantity) -> None:
        """How the batch moves the running statistics."""
        m = part.x.values.size // len(of_batch[0].values)
        seen = np.maximum(part.site.counters.seen, 1)
        weight = part.make("weight_of_batch", np.maximum(1 - self.momentum, 1 / seen),
                           "setting", by_rows=False)  # fmt: skip
        kept = part.site.presence(part.run)
        there = kept if kept is not None and self.unitwise(kept.shape) else np.ones(len(seen), bool)
        corrections = (1.0, m / (m - 1))
        for old, batch, factor, now in zip(part.s, of_batch, corrections, part.site.s, strict=True):
            new = part.make(old.key.word, np.array(now), "statistic", by_rows=False, mark="+")
            new.by(self._moved(old, batch, factor, weight, there))

    @staticmethod
    def _moved(
        old: Quantity, batch: Quantity, factor: float, weight: Quantity, there: Array
    ) -> Callable[[int], Node]:
        """A running statistic behind the step; an absent unit's stays."""

        def formula(f: int) -> Node:
            if not there[f]:
                return old[f]
            own = batch[f] if factor == 1 else batch[f] * factor
            return old[f] + weight[f] * (own - old[f])

        return formula
