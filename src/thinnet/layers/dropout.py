"""Dropout and its relatives: noise on activations, recomputed from its address, never stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from thinnet import checks, masks
from thinnet.arrays import Array, Features, SameRows, Share
from thinnet.formulas.explaining import LayerPart, explain_mask
from thinnet.formulas.trees import Index, Node, node
from thinnet.layers.base import Shapes, title
from thinnet.passes import Run, Site
from thinnet.schedules import Rate, check_rate


class Cache(NamedTuple):
    """The address of a mask or of noise, from which `backward` recomputes it."""

    run: Run
    rate: float


@runtime_checkable
class Shared(Protocol):
    """A layer whose noise is of its own for each row and unit, or shared."""

    @property
    def rate(self) -> Rate: ...
    @property
    def share(self) -> Share: ...
    @property
    def share_axes(self) -> tuple[int, ...]: ...


def check_sharing(layer: Shared) -> None:
    masks.check_share("share", layer.share)
    axes = layer.share_axes
    checks.must(isinstance(axes, tuple | list), "share_axes", "a tuple of integers", axes)
    object.__setattr__(layer, "share_axes", tuple(axes))
    for axis in layer.share_axes:
        checks.integer("each of share_axes", axis, -32, 31)


def shareable_shapes(self: Shared, features: Features) -> Shapes:
    """The `shapes` of a layer that may share its mask along some of its feature axes."""
    for axis in self.share_axes:
        checks.integer(
            f"each of share_axes of {title(self)}", axis, -len(features), len(features) - 1
        )
    return Shapes(features)


def mask_of(self: Shared, site: Site, cache: Cache, rows: int) -> Bool[Array, "..."]:
    """The mask of a pass; its length is 1 along the axes that share it."""
    return site.keep(cache.run, rows, cache.rate, self.share, self.share_axes)


def kept(self: Shared, site: Site, run: Run, rows: int) -> Bool[Array, "rows *features"]:
    """The mask of a pass, repeated along the axes that share it."""
    mask = mask_of(self, site, Cache(run, site.rate(self.rate, run)), rows)
    return np.broadcast_to(mask, (rows, *site.features))


def explained_mask(self: Shared, part: LayerPart) -> Callable[[Index], Node]:
    """The mask of a pass: of each unit its draw, and whether that reaches the threshold."""
    rows, rate = len(part.x.values), part.cache.rate
    values = mask_of(self, part.site, part.cache, rows).astype(part.x.values.dtype)
    mask = part.make("m", values, "mask")

    explain_mask(part, mask, rate, part.site.draws(part.run, rows, self.share, self.share_axes))
    return lambda at: mask[own_place(at, values)]


def own_place(at: Index, values: Array) -> Index:
    """The place among random numbers, whose length is 1 along the axes that share one."""
    if at is None:
        return None
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
            y.each(lambda at: x[at] * keep(at))
            dx.each(lambda at: dy[at] * keep(at))
        else:
            y.each(lambda at: keep(at) * x[at] / q[()])
            dx.each(lambda at: keep(at) * dy[at] / q[()])
