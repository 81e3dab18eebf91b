"""Dropout and its relatives: noise on activations, recomputed from its address, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool

from thinnet import checks, masks
from thinnet.arrays import Array, Features, SameRows, Share
from thinnet.formulas.explaining import LayerPart, explain_mask
from thinnet.formulas.quantities import Place
from thinnet.formulas.trees import SQRT, Node, cases, node
from thinnet.layers.base import Shapes, same_shape, title
from thinnet.layers.rectifiers import SELU_ALPHA, SELU_SCALE
from thinnet.passes import Run, Site
from thinnet.schedules import Rate, check_rate


class Cache(NamedTuple):
    """The address of a mask or of noise, from which `backward` recomputes it."""

    run: Run
    rate: float


def check_sharing(layer: Dropout | GaussianDropout | AlphaDropout) -> None:
    masks.check_share("share", layer.share)
    axes = layer.share_axes
    checks.must(isinstance(axes, tuple | list), "share_axes", "a tuple of integers", axes)
    object.__setattr__(layer, "share_axes", tuple(axes))
    for axis in layer.share_axes:
        checks.integer("each of share_axes", axis, -32, 31)


def shareable_shapes(self: Dropout | GaussianDropout | AlphaDropout, features: Features) -> Shapes:
    """The `shapes` of a layer that may share its mask along some of its feature axes."""
    for axis in self.share_axes:
        checks.integer(
            f"each of share_axes of {title(self)}", axis, -len(features), len(features) - 1
        )
    return Shapes(features)


def mask_of(
    self: Dropout | AlphaDropout, site: Site, cache: Cache, rows: int
) -> Bool[Array, "..."]:
    """The mask of a pass; its length is 1 along the axes that share it."""
    return site.keep(cache.run, rows, cache.rate, self.share, self.share_axes)


def kept(
    self: Dropout | AlphaDropout, site: Site, run: Run, rows: int
) -> Bool[Array, "rows *features"]:
    """The mask of a pass, repeated along the axes that share it."""
    mask = mask_of(self, site, Cache(run, site.rate(self.rate, run)), rows)
    return np.broadcast_to(mask, (rows, *site.features))


def explained_mask(self: Dropout | AlphaDropout, part: LayerPart) -> Callable[[Place], Node]:
    """The mask of a pass: of each unit its draw, and whether that reaches the threshold."""
    rows, rate = len(part.x.values), part.cache.rate
    values = mask_of(self, part.site, part.cache, rows).astype(part.x.values.dtype)
    mask = part.make("m", values, "mask")

    explain_mask(part, mask, rate, part.site.draws(part.run, rows, self.share, self.share_axes))
    return lambda at: mask[own_place(at, values)]


def explained_normals(self: GaussianDropout, part: LayerPart, rows: int) -> Callable[[Place], Node]:
    """The standard normal numbers of a pass."""
    values = part.site.normals(part.run, rows, self.share, self.share_axes)
    normal = part.make("normal", values, "random")
    return lambda at: normal[own_place(at, values)]


def own_place(at: Place, values: Array) -> Place:
    """The place among random numbers, whose length is 1 along the axes that share one."""
    return tuple(0 if n == 1 else i for i, n in zip(at, values.shape, strict=True))


@dataclass(frozen=True, slots=True)
class Dropout:
    """Zero each activation with probability `rate`; scale the others by 1/q.

    Parameters
    ----------
    rate : float or Schedule
        The probability of dropping a unit, in [0, 1]: never that of keeping it.  q is the keep
        probability, ``1 - rate`` rounded to 16 bits (docs/masks.md).
    share : None or "batch"
        None: each row has its own mask.  "batch": all rows of a step have one mask, and the dropped
        units do not exist in that step: their parameters, optimiser moments and running statistics
        stay as they are (docs/thinned-training.md).  It regularises more than a mask for each row.
    share_axes : tuple of int
        Feature axes along which the mask is shared, counted behind the rows: ``(0, 1)`` drops
        whole channels of rows of shape (height, width, channels) (Tompson et al. 2015).
    scaling : "inverted" or "classical"
        "inverted" divides by q when units are dropped; "classical" multiplies by q when none are,
        as Srivastava et al. 2014 (section 4) wrote it.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> Dropout(0.5)
    Dropout(rate=0.5, share=None, share_axes=(), scaling='inverted')
    """

    rate: Rate
    share: Share = None
    share_axes: tuple[int, ...] = ()
    scaling: Literal["inverted", "classical"] = "inverted"

    can_draw: ClassVar[bool] = True
    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    shapes = shareable_shapes
    keep = kept

    def __post_init__(self) -> None:
        check_rate(self.rate)
        check_sharing(self)
        checks.one_of("scaling", self.scaling, ("inverted", "classical"))

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Cache]:
        cache = Cache(run, site.rate(self.rate, run))
        if cache.rate == 0.0:
            return x, cache
        if not run.draws:
            return x * self._without_mask(cache.rate, x), cache
        mask = mask_of(self, site, cache, len(x))
        if self.scaling == "classical":
            return x * mask, cache
        q = masks.divisor(cache.rate, x)
        return np.where(mask, x / q, 0), cache

    def backward(self, site: Site, cache: Cache, dy: SameRows) -> SameRows:
        if cache.rate == 0.0:
            return dy
        if not cache.run.draws:
            return dy * self._without_mask(cache.rate, dy)
        mask = mask_of(self, site, cache, len(dy))
        if self.scaling == "classical":
            return dy * mask
        q = masks.divisor(cache.rate, dy)
        return np.where(mask, dy / q, 0)

    def _without_mask(self, rate: float, like: SameRows) -> np.floating:
        """The factor of a pass without masks: 1, or q where scaling is classical."""
        q = 1.0 if self.scaling == "inverted" else masks.keep_probability(rate)
        return like.dtype.type(q)

    def explain(self, part: LayerPart) -> None:
        x, y, dx, dy = part.x, part.y, part.dx, part.dy
        rate = part.cache.rate
        if rate == 0 or not part.run.draws:
            factor = float(self._without_mask(rate, x.values)) if rate else 1.0
            part.elementwise(lambda x: x * factor if factor != 1 else x, lambda x, y: node(factor))
            return
        keep = explained_mask(self, part)
        q = part.setting("q", masks.keep_probability(rate) or 1.0)
        if self.scaling == "classical":
            y.by(lambda *at: x[at] * keep(at))
            dx.by(lambda *at: dy[at] * keep(at))
        else:
            y.by(lambda *at: keep(at) * x[at] / q[()])
            dx.by(lambda *at: keep(at) * dy[at] / q[()])


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
        part.y.by(lambda *at: part.x[at] * (1 + SQRT(rate / (1 - node(rate))) * normal(at)))
        part.dx.by(lambda *at: part.dy[at] * (1 + SQRT(rate / (1 - node(rate))) * normal(at)))


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
            for word, value in zip(("a", "b", "limit"), affine(part.cache.rate), strict=True)
        )
        part.y.by(
            lambda *at: a[()] * cases((part.x[at], keep(at), "=", 1), otherwise=limit[()]) + b[()]
        )
        part.dx.by(lambda *at: a[()] * part.dy[at] * keep(at))


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
        part.y.by(lambda *at: part.x[at] + self.scale * normal[own_place(at, values)])
        part.dx.by(lambda *at: part.dy[at])
