"""The first layer of a table's network: lookups in place of products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool

from thinnet import checks, masks, philox
from thinnet.arrays import Array, Features, Float, Out, Share, Table
from thinnet.formulas.explaining import LayerPart, explain_mask
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import MAX, MIN, Node, cases, node, total
from thinnet.layers.base import Initial, Shapes, one_axis
from thinnet.layers.dense import Dense, Params
from thinnet.layers.encodings import (
    BIN,
    CATEGORY,
    ColumnEncoding,
    Inputs,
    check_encoded,
    expanded,
    inputs_in,
    inputs_of,
    places_of,
    slots_of,
)
from thinnet.layers.lookups import add_up, looked_up, slopes_of_slots
from thinnet.passes import Run, Site
from thinnet.schedules import Rate, check_rate


class Cache(NamedTuple):
    x: Table
    run: Run
    rate: float


@dataclass(frozen=True, slots=True)
class Columns:
    """A Dense layer whose inputs are what the columns of a table stand for, read as lookups.

    ``y = z @ W.T + b`` with z the inputs of `ColumnEncoding`, which are never made: a position at
    bin k with fraction f takes the sum of the weights of the bins below k and f times those of bin
    k, a category its own weights.  With the sums of weights made once for all rows that is two
    additions of a row of weights for a number of any count of bins (prefix sums), and backward the
    slopes of the bins above are added once for all rows (suffix sums).  Means that are taken off
    the inputs are a part of these sums.

    Dropout of its input drops columns: with probability `rate` all that a column stands for is
    zero, and is scaled by 1/q otherwise.  A column is one unit of the mask.

    Parameters
    ----------
    columns : sequence of ColumnEncoding
        What the numbers of a row mean, column by column.
    dense : Dense
        Units, penalties, `max_norm` and initialisation of the weights, of shape (units, inputs).
    rate : float or Schedule
        The probability of dropping a column, in [0, 1].
    share : None or "batch"
        As in `Dropout`; with "batch" the weights of a dropped column do not exist in that step.

    Raises
    ------
    ValueError
        If a setting is out of its range, rows have not as many numbers as the columns have slots,
        or in a pass a position or a code is out of its range.

    Examples
    --------
    >>> layer = Columns([ColumnEncoding(bins=4), ColumnEncoding(categories=3)], Dense(8))
    >>> layer.shapes((2,)).params
    Params(W=(8, 7), b=(8,))
    """

    columns: tuple[ColumnEncoding, ...]
    dense: Dense
    rate: Rate = 0.0
    share: Share = None

    can_draw: ClassVar[bool] = True

    def __post_init__(self) -> None:
        columns = self.columns
        fits = isinstance(columns, tuple | list) and len(columns) > 0
        fits = fits and all(isinstance(each, ColumnEncoding) for each in columns)
        checks.must(fits, "columns", "a sequence of at least one ColumnEncoding", columns)
        object.__setattr__(self, "columns", tuple(columns))
        checks.must(isinstance(self.dense, Dense), "dense", "a Dense layer", self.dense)
        check_rate(self.rate)
        masks.check_share("share", self.share)

    @property
    def slots(self) -> int:
        """The numbers of a row."""
        return sum(each.slots for each in self.columns)

    @property
    def inputs(self) -> int:
        """The inputs that they stand for."""
        return inputs_in(self.columns)

    def shapes(self, features: Features) -> Shapes:
        width = one_axis(self, features)
        checks.must(width == self.slots, "rows of Columns", f"of {self.slots} numbers", width)
        return self.dense.shapes((self.inputs,))

    def initialise(self, site: Site, initial: Initial) -> None:
        self.dense.initialise(site, initial)

    def present(self, inputs: Array, outputs: Array) -> Params:
        slots = [place.slot for place in places_of(self.columns)]
        of_inputs = np.repeat(inputs[slots], [each.inputs for each in self.columns])
        return self.dense.present(of_inputs, outputs)

    def keep(self, site: Site, run: Run, rows: int) -> Bool[Array, "rows slots"]:
        """The slots of the columns that a pass keeps; one row if all share it."""
        kept = self._kept(site, run, rows, site.rate(self.rate, run))
        return np.repeat(kept, [each.slots for each in self.columns], axis=1)

    def check_encoded(self, x: Array) -> None:
        """ValueError for the first number that no encoded row has."""
        check_encoded(self.columns, x)

    def forward(self, site: Site, x: Table, run: Run) -> tuple[Out, Cache]:
        self.check_encoded(x)
        rate = site.rate(self.rate, run) if run.draws else 0.0
        weights, factors = site.p.W.T, self._factors(site, run, x, rate)
        y = np.repeat(site.p.b[None], len(x), axis=0)
        for place, factor in zip(places_of(self.columns), factors.T, strict=True):
            y += factor[:, None] * looked_up(x, place, weights)
        return y, Cache(x, run, rate)

    def backward(self, site: Site, cache: Cache, dy: Out) -> Table:
        x, dx, g = cache.x, np.zeros_like(cache.x), site.g.W.T
        factors = self._factors(site, cache.run, x, cache.rate)
        for place, factor in zip(places_of(self.columns), factors.T, strict=True):
            slopes = factor[:, None] * dy
            add_up(x, place, slopes, g)
            slopes_of_slots(x, place, slopes, site.p.W.T, dx)
        np.sum(dy, axis=0, out=site.g.b)
        return dx

    def _kept(self, site: Site, run: Run, rows: int, rate: float) -> Bool[Array, "rows columns"]:
        ids = run.samples(rows) if self.share is None else masks.ids_of(None, self.share)
        return masks.mask(site.stream(run), ids, len(self.columns), rate)

    def _factors(self, site: Site, run: Run, x: Table, rate: float) -> Float[Array, "rows columns"]:
        """0 or 1/q for each row and column."""
        ones = np.ones((len(x), len(self.columns)), x.dtype)
        if rate == 0.0:
            return ones
        kept = self._kept(site, run, len(x), rate)
        return masks.scaled(ones, np.broadcast_to(kept, ones.shape), rate)

    def explain(self, part: LayerPart) -> None:
        x, y, dx, dy, W, b = part.x, part.y, part.dx, part.dy, part.p.W, part.p.b
        of, slots = inputs_of(self.columns), slots_of(self.columns)
        rows, units, inputs = range(len(x.values)), range(self.dense.units), range(self.inputs)
        columns = np.array([slot.column for slot in slots])[of.slots].tolist()
        factors = self._factors(part.site, part.run, x.values, part.cache.rate)
        factor = self._explained_factors(part, factors)
        inside = part.make_inside("input", expanded(self.columns, x.values), "output")
        inside.by(lambda i, k: _input(x[i, int(of.slots[k])], k, of))
        kept = part.make_inside("kept", inside.values * factors[:, columns], "output")
        kept.by(lambda i, k: factor[i, columns[k]] * inside[i, k])
        y.by(lambda i, u: total(kept[i, k] * W[u, k] for k in inputs) + b[u])
        if not part.has_slopes:
            return
        part.g.W.by(lambda u, k: total(dy[i, u] * kept[i, k] for i in rows))
        part.g.b.by(lambda u: total(dy[i, u] for i in rows))

        def slope(i: int, s: int) -> Node:
            slot = slots[s]
            if slot.kind == CATEGORY:
                return node(0)
            k = slot.first + min(int(x.values[i, s]), slot.inputs - 1) * (slot.kind == BIN)
            return factor[i, slot.column] * total(dy[i, u] * W[u, k] for u in units)

        dx.by(slope)

    def _explained_factors(self, part: LayerPart, factors: Array) -> Quantity:
        """Each column is dropped or kept in a row, by its draw."""
        rate, run, rows = part.cache.rate, part.run, len(part.x.values)
        if rate == 0.0:
            factor = part.make_inside("factor", factors, "mask")
            factor.by(lambda i, c: node(1))
            return factor
        ids = run.samples(rows) if self.share is None else masks.ids_of(None, self.share)
        n = len(self.columns)
        kept = self._kept(part.site, run, rows, rate)
        mask = part.make_inside("m", kept.astype(factors.dtype), "mask")
        explain_mask(part, mask, rate, philox.sixteen_bits(part.site.stream(run), ids, n))
        q = part.setting("q", masks.keep_probability(rate) or 1.0)
        together = len(kept) == 1
        factor = part.make_inside("factor", factors, "mask")
        factor.by(lambda i, c: mask[0 if together else i, c] / q[()])
        return factor


def _input(number: Node, k: int, of: Inputs) -> Node:
    """Input k, made of the number of its slot."""
    d = float(of.numbers[k])
    if of.kinds[k] == BIN:
        number = MIN(MAX(number - d, 0), 1)
    elif of.kinds[k] == CATEGORY:
        number = cases((1, number, "=", d), otherwise=0)
    offset = float(of.offsets[k])
    return number - offset if offset else number
