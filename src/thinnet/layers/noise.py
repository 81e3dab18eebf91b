"""Noise on activations besides dropout's own, recomputed from its address, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Array, SameRows, Share
from thinnet.formulas.explaining import LayerPart
from thinnet.formulas.trees import SQRT, Index, Node, cases, node
from thinnet.layers.base import same_shape
from thinnet.layers.dropout import (
    Cache,
    check_sharing,
    explained_mask,
    kept,
    mask_of,
    own_place,
    shareable_shapes,
)
from thinnet.layers.rectifiers import SELU_ALPHA, SELU_SCALE
from thinnet.passes import Run, Site
from thinnet.schedules import Rate, check_rate


@dataclass(frozen=True, slots=True)
class GaussianDropout:
    """Multiply each activation by a normal number of mean 1 and variance ``rate / (1 - rate)``.

    Dropout's factors have the same mean and variance (Srivastava et al. 2014, section 10).
    Nothing is dropped, so `Network.masks` has no entry for it.

    Parameters
    ----------
    rate : float or Schedule
        The rate of the dropout that it stands for, in [0, 1); at 1 the variance would be infinite.
    share, share_axes
        The entries that share a random number, as in `Dropout`.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> GaussianDropout(0.2).rate
    0.2
    """

    rate: Rate
    share: Share = None
    share_axes: tuple[int, ...] = ()

    can_draw: ClassVar[bool] = True
    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    shapes = shareable_shapes

    def __post_init__(self) -> None:
        check_rate(self.rate, checks.below_one)
        check_sharing(self)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Cache]:
        cache = Cache(run, checks.below_one("rate", site.rate(self.rate, run)))
        if cache.rate == 0.0 or not run.draws:
            return x, cache
        return x * self._noise(site, cache, x), cache

    def backward(self, site: Site, cache: Cache, dy: SameRows) -> SameRows:
        if cache.rate == 0.0 or not cache.run.draws:
            return dy
        return dy * self._noise(site, cache, dy)

    def _noise(self, site: Site, cache: Cache, like: SameRows) -> Array:
        """Normal numbers of mean 1 and variance ``rate / (1 - rate)``."""
        run, rate = cache
        n = site.normals(run, len(like), self.share, self.share_axes)
        return (1 + np.sqrt(rate / (1 - rate)) * n).astype(like.dtype)

    def explain(self, part: LayerPart) -> None:
        rate, rows = part.cache.rate, len(part.x.values)
        if rate == 0 or not part.run.draws:
            part.elementwise(lambda x: x, lambda x, y: node(1))
            return
        normal = explained_normals(self, part, rows)
        part.y.each(lambda at: part.x[at] * (1 + SQRT(rate / (1 - node(rate))) * normal(at)))
        part.dx.each(lambda at: part.dy[at] * (1 + SQRT(rate / (1 - node(rate))) * normal(at)))


@dataclass(frozen=True, slots=True)
class AlphaDropout:
    """Set activations to SELU's negative limit, then restore mean 0 and variance 1.

    ``y = a * (x where kept, alpha' elsewhere) + b`` with
    ``alpha' = -scale * alpha``, ``a = (q + alpha'^2 * q * (1 - q)) ** -0.5`` and
    ``b = -a * (1 - q) * alpha'`` (Klambauer et al. 2017, section "New dropout technique").

    Parameters
    ----------
    rate : float or Schedule
        The probability of setting a unit to the limit, in [0, 1]; at 1 the output is 0.
    share, share_axes
        The units that share a mask, as in `Dropout`.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> AlphaDropout(0.1).rate
    0.1
    """

    rate: Rate
    share: Share = None
    share_axes: tuple[int, ...] = ()

    can_draw: ClassVar[bool] = True
    unitwise: ClassVar[bool] = True
    shapes = shareable_shapes
    keep = kept

    def __post_init__(self) -> None:
        check_rate(self.rate)
        check_sharing(self)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Cache]:
        cache = Cache(run, site.rate(self.rate, run))
        if cache.rate == 0.0 or not run.draws:
            return x, cache
        a, b, limit = (x.dtype.type(value) for value in affine(cache.rate))
        return a * np.where(mask_of(self, site, cache, len(x)), x, limit) + b, cache

    def backward(self, site: Site, cache: Cache, dy: SameRows) -> SameRows:
        if cache.rate == 0.0 or not cache.run.draws:
            return dy
        a, _, _ = affine(cache.rate)
        return dy.dtype.type(a) * dy * mask_of(self, site, cache, len(dy))

    def explain(self, part: LayerPart) -> None:
        if part.cache.rate == 0 or not part.run.draws:
            part.elementwise(lambda x: x, lambda x, y: node(1))
            return
        keep = explained_mask(self, part)
        a, b, limit = (
            part.setting(word, value)
            for word, value in zip(
                ("scale", "shift", "limit"), affine(part.cache.rate), strict=True
            )
        )
        part.y.each(
            lambda at: a[()] * cases((part.x[at], keep(at), "=", 1), otherwise=limit[()]) + b[()]
        )
        part.dx.each(lambda at: a[()] * part.dy[at] * keep(at))


def affine(rate: float) -> tuple[float, float, float]:
    """The numbers a, b and alpha' of `AlphaDropout` at a rate."""
    q, limit = masks.keep_probability(rate), -SELU_SCALE * SELU_ALPHA
    if q == 0.0:
        return 0.0, 0.0, limit
    a = (q + limit**2 * q * (1 - q)) ** -0.5
    return a, -a * (1 - q) * limit, limit


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """Add a normal number of mean 0 and standard deviation `scale` to each activation.

    Parameters
    ----------
    scale : float
        The standard deviation in the units of the activation, at least 0.

    Raises
    ------
    ValueError
        If `scale` is out of its range.

    Examples
    --------
    >>> GaussianNoise(0.1)
    GaussianNoise(scale=0.1)
    """

    scale: float

    can_draw: ClassVar[bool] = True
    unitwise: ClassVar[bool] = True
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.non_negative("scale", self.scale)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, None]:
        if self.scale == 0.0 or not run.draws:
            return x, None
        return x + (self.scale * site.normals(run, len(x))).astype(x.dtype), None

    def backward(self, site: Site, cache: None, dy: SameRows) -> SameRows:
        return dy

    def explain(self, part: LayerPart) -> None:
        if self.scale == 0 or not part.run.draws:
            part.elementwise(lambda x: x, lambda x, y: node(1))
            return
        values = part.site.normals(part.run, len(part.x.values))
        normal = part.make("normal", values, "random")
        part.y.each(lambda at: part.x[at] + self.scale * normal[own_place(at, values)])
        part.dx.each(lambda at: part.dy[at])


def explained_normals(self: GaussianDropout, part: LayerPart, rows: int) -> Callable[[Index], Node]:
    """The standard normal numbers of a pass."""
    values = part.site.normals(part.run, rows, self.share, self.share_axes)
    normal = part.make("normal", values, "random")
    return lambda at: normal[own_place(at, values)]
