"""DropConnect: dropout of weights instead of activations."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from jaxtyping import Bool

from thinnet import checks, masks, philox
from thinnet.arrays import Array, Features, Out, Table
from thinnet.formulas.explaining import LayerPart, explain_mask
from thinnet.layers.base import Initial, Shapes
from thinnet.layers.dense import Cache as DenseCache
from thinnet.layers.dense import Dense, Params
from thinnet.passes import Run, Site
from thinnet.schedules import Rate, check_rate


class Cache(NamedTuple):
    inner: DenseCache
    run: Run
    rate: float


@dataclass(frozen=True, slots=True)
class DropConnect:
    """A Dense layer whose weights are dropped, each with probability `rate` (Wan et al. 2013).

    Kept weights are scaled by 1/q; biases are never dropped.  All rows of a pass share one mask
    (Wan et al. have one for each row, which no matrix product can apply); its unit number is
    ``j * width + i`` for the weight from input i to unit j.  Prediction uses the weights as they
    are, which is their mean over the masks; Wan et al. sample from a Gaussian there.

    Parameters
    ----------
    dense : Dense
        The layer whose weights are dropped.
    rate : float or Schedule
        The probability of dropping a weight, in [0, 1].

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> from thinnet import Dense
    >>> DropConnect(Dense(10), rate=0.5).shapes((4,)).params
    Params(W=(10, 4), b=(10,))
    """

    dense: Dense
    rate: Rate

    can_draw: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.must(isinstance(self.dense, Dense), "dense", "a Dense layer", self.dense)
        check_rate(self.rate)

    def shapes(self, features: Features) -> Shapes:
        return self.dense.shapes(features)

    def initialise(self, site: Site, initial: Initial) -> None:
        self.dense.initialise(site, initial)

    def present(self, inputs: Array, outputs: Array) -> Params:
        return self.dense.present(inputs, outputs)

    def forward(self, site: Site, x: Table, run: Run) -> tuple[Out, Cache]:
        rate = site.rate(self.rate, run) if run.draws else 0.0
        y, inner = self.dense.forward(self._thinned(site, run, rate), x, run)
        return y, Cache(inner, run, rate)

    def backward(self, site: Site, cache: Cache, dy: Out) -> Table:
        dx = self.dense.backward(self._thinned(site, cache.run, cache.rate), cache.inner, dy)
        site.g.W[...] = self._drop(site, site.g.W, cache.run, cache.rate)
        return dx

    def keep(self, site: Site, run: Run, rows: int) -> Bool[Array, "units width"]:
        """The weights that a pass keeps, as booleans."""
        return self._mask(site, run, site.rate(self.rate, run))

    def _mask(self, site: Site, run: Run, rate: float) -> Bool[Array, "units width"]:
        shared = masks.ids_of(None, "batch")
        return masks.mask(site.stream(run), shared, site.p.W.size, rate).reshape(site.p.W.shape)

    def _draws(self, site: Site, run: Run) -> Array:
        """The 16 bits that each weight is dropped by."""
        shared = masks.ids_of(None, "batch")
        found = philox.sixteen_bits(site.stream(run), shared, site.p.W.size)
        return found.reshape(site.p.W.shape)

    def _drop(self, site: Site, W: Array, run: Run, rate: float) -> Array:
        return W if rate == 0.0 else masks.scaled(W, self._mask(site, run, rate), rate)

    def _thinned(self, site: Site, run: Run, rate: float) -> Site:
        """The site with masked weights."""
        whole = site.p
        params = whole._replace(W=self._drop(site, whole.W, run, rate))
        return dataclasses.replace(site, lend=lambda: params)

    def explain(self, part: LayerPart) -> None:
        rate = part.cache.rate
        if rate == 0:
            self.dense.explain(part)
            return
        W, site = part.p.W, part.site
        values = self._mask(site, part.run, rate).astype(W.values.dtype)
        mask = part.make("m", values, "mask", by_rows=False)
        explain_mask(part, mask, rate, self._draws(site, part.run))
        q = part.setting("q", masks.keep_probability(rate) or 1.0)
        kept = self._drop(site, W.values, part.run, rate)
        thinned = part.make("W_kept", kept, "output", by_rows=False)
        thinned.each(lambda at: mask[at] * W[at] / q[()])
        inner = dataclasses.replace(part, p=part.p._replace(W=thinned))
        if part.has_slopes:
            slopes = part.dy.values.T @ part.x.values
            of_kept = part.make_back("W_kept", slopes, by_rows=False)
            inner.g = part.g._replace(W=of_kept)
            part.g.W.each(lambda at: mask[at] * of_kept[at] / q[()])
        self.dense.explain(inner)
