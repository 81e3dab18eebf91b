"""Normalisation of a row over its features."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, SameRows
from thinnet.formulas.explaining import LayerPart, places
from thinnet.formulas.trees import SQRT, total
from thinnet.layers.base import Initial, Shapes
from thinnet.layers.normalisation import Cache, Params
from thinnet.passes import Run, Site


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
