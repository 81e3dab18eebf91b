"""Fixed masks: a few thinned networks that share their weights and never change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from thinnet import checks, masks, philox
from thinnet.arrays import Array, Float, Ids, SameRows
from thinnet.formulas.explaining import LayerPart, explain_mask
from thinnet.layers.base import same_shape
from thinnet.layers.dropout import own_place
from thinnet.passes import Run, Site
from thinnet.philox import MAX_STEP, SHARED, Stream


@dataclass(frozen=True, slots=True)
class FixedMasks:
    """Dropout with `n_masks` masks that never change (after Durasov et al. 2021, "Masksembles").

    Mask m is that of docs/masks.md for the purpose "predict", step m and the sample that all rows
    share: draw m of a Dropout in this place would have the same one.  Training step t uses mask
    ``(id + t) mod n_masks`` for the row with this id (``t mod n_masks`` if all rows share one).
    Draw d of a sampling pass uses mask ``d mod n_masks`` for all rows, whatever their ids and the
    seed of the sample: the network was trained with these masks.  Kept units are scaled by 1/q.
    Prediction multiplies each unit by its mean factor over the masks; in a linear network with one
    such layer that is the mean over the `n_masks` draws.

    It pays where few passes must suffice for an uncertainty: `n_masks` draws are the whole
    ensemble, and each of its networks was trained as it is, whereas draws of dropout take masks
    that training never had.  Further draws only repeat it.  Durasov et al. choose masks with a
    given overlap; here they are independent, so a unit is in no mask, and never used, with the
    probability ``rate ** n_masks``.  Where rows are not shuffled and an epoch has a multiple of
    `n_masks` steps, a row has the same mask in every epoch.  There is no compiled form: networks
    with it run in the reference executor.

    Parameters
    ----------
    rate : float
        The probability that a mask drops a unit, in [0, 1].
    n_masks : int
        The number of masks, at least 2.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> from thinnet import Network
    >>> network = Network([FixedMasks(0.5, n_masks=2)], features=6, seed=0)
    >>> network.sample(np.ones((1, 6)), 4)[:, 0]
    array([[2., 0., 2., 0., 0., 2.],
           [2., 0., 0., 2., 0., 2.],
           [2., 0., 2., 0., 0., 2.],
           [2., 0., 0., 2., 0., 2.]], dtype=float32)
    >>> network.outputs(np.ones((1, 6)))
    array([[2., 0., 1., 1., 0., 2.]], dtype=float32)
    """

    rate: float
    n_masks: int = 4

    can_draw: ClassVar[bool] = True
    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.unit_interval("rate", self.rate)
        checks.integer("n_masks", self.n_masks, 2, MAX_STEP + 1)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, Run]:
        return self._apply(site, x, run), run

    def backward(self, site: Site, cache: Run, dy: SameRows) -> SameRows:
        return self._apply(site, dy, cache)  # linear in x, so it is its own backward

    def keep(self, site: Site, run: Run, rows: int) -> Bool[Array, "rows *features"]:
        """The units that a pass keeps in each row, as booleans."""
        return np.broadcast_to(self._masks(site)[self._numbers(run, rows)], (rows, *site.features))

    def _apply(self, site: Site, x: SameRows, run: Run) -> SameRows:
        if run.draws:
            keep = self._masks(site)[self._numbers(run, len(x))]
            return masks.scaled(x, keep, self.rate)
        return x * self.mean_factor(site, x.dtype)

    def mean_factor(self, site: Site, dtype: np.dtype) -> Float[Array, "*features"]:
        """The factor of each unit in prediction: its mean over the masks."""
        q = masks.keep_probability(self.rate) or 1.0  # nothing is kept at rate 1
        return (self._masks(site).mean(axis=0) / q).astype(dtype)

    def _numbers(self, run: Run, rows: int) -> Ids:
        """The number of each row's mask, or of the one for all rows."""
        if not run.learns:
            return np.array([run.step % self.n_masks])
        ids = run.samples(rows).astype(np.int64)
        return (np.where(ids == SHARED, 0, ids) + run.step) % self.n_masks

    def explain(self, part: LayerPart) -> None:
        site, run, x, dx, dy = part.site, part.run, part.x, part.dx, part.dy
        dtype = x.values.dtype
        if not run.draws:
            factor = part.make("factor", self.mean_factor(site, dtype), "setting", by_rows=False)
            part.y.by(lambda i, *at: x[i, *at] * factor[at])
            dx.by(lambda i, *at: dy[i, *at] * factor[at])
            return
        rows, numbers = len(x.values), self._numbers(run, len(x.values))
        part.make("mask", numbers.astype(np.float64), "setting", by_rows=len(numbers) == rows)
        mask = part.make("m", self._masks(site)[numbers].astype(dtype), "mask")
        explain_mask(part, mask, self.rate, self._draws(site)[numbers])
        q = part.setting("q", masks.keep_probability(self.rate) or 1.0)
        part.y.each(lambda at: mask[own_place(at, mask.values)] * x[at] / q[()])
        dx.each(lambda at: mask[own_place(at, mask.values)] * dy[at] / q[()])

    def _draws(self, site: Site) -> Array:
        """The numbers that the masks are drawn with, shape (masks, *features)."""
        units, shared = math.prod(site.features), masks.ids_of(None, "batch")
        streams = (Stream(site.seed, "predict", site.ordinal, n) for n in range(self.n_masks))
        drawn = np.concatenate([philox.sixteen_bits(each, shared, units) for each in streams])
        return drawn.reshape(self.n_masks, *site.features)

    def _masks(self, site: Site) -> Bool[Array, "masks *features"]:
        units = math.prod(site.features)
        kept = fixed(site.seed, site.ordinal, self.n_masks, units, self.rate)
        return kept.reshape(self.n_masks, *site.features)


@lru_cache(maxsize=256)  # enough for the layers of several ensembles
def fixed(
    seed: int, layer: int, n_masks: int, units: int, rate: float
) -> Bool[Array, "masks units"]:
    """All masks of a layer, cached because every pass needs the same ones."""
    streams = (Stream(seed, "predict", layer, number) for number in range(n_masks))
    shared = masks.ids_of(None, "batch")
    kept = np.concatenate([masks.mask(stream, shared, units, rate) for stream in streams])
    kept.flags.writeable = False
    return kept
