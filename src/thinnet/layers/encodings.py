"""What the columns of a table are in an encoded row, and the inputs that they stand for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array

BLOCK: Final = 2**16  # rows that are checked at once, so that checks take little memory
EXPANDED: Final = 2**10  # rows whose inputs are made at once
KNOWN: Final = 64  # tables whose slots are remembered
MOST: Final = 2**24  # numbers of a slot: above, float32 does not have all whole numbers
BIN, VALUE, CATEGORY = range(3)  # kinds of inputs, and of the slots that they are made of


@dataclass(frozen=True, slots=True)
class ColumnEncoding:
    """What a column of a table is in an encoded row, and how many inputs it stands for.

    ============ ============================== ================================================
    part         numbers of a row               inputs that they stand for
    ============ ============================== ================================================
    `bins`       one: the number's position     1 for each bin below it, the fraction of its own,
                 among the bins, in [0, bins]   0 above (Gorishniy et al. 2022, eq. 1)
    `values`     so many numbers                these numbers
    `categories` one: a code, 0 for none or     1 for input ``code - 1``, 0 for the others
                 from 1 to `categories`
    ============ ============================== ================================================

    From each input of a bin or of a category its mean is taken off, where `means` has it.  The rows
    of training then have inputs around 0, so that a step that moves the weights of one does not
    move all rows, and a column that is dropped stands for a typical one.

    Parameters
    ----------
    bins, values, categories : int
        From 0 to 2**24, up to which float32 has every code; at least one of them is above 0.
    means : sequence of float
        A finite number for each bin and each category, or none.

    Raises
    ------
    ValueError
        If a count is out of its range, or all are 0; if there are means, but not for each input of
        a bin or category, or one is not finite.

    Examples
    --------
    >>> age = ColumnEncoding(bins=8, values=1, categories=1)
    >>> age.slots, age.inputs
    (3, 10)
    """

    bins: int = 0
    values: int = 0
    categories: int = 0
    means: tuple[float, ...] = field(default=(), hash=False)  # many, and the counts tell most apart

    def __post_init__(self) -> None:
        for name in ("bins", "values", "categories"):
            checks.integer(name, getattr(self, name), 0, MOST)
        checks.must(self.inputs > 0, "a ColumnEncoding", "of at least one input", self)
        object.__setattr__(self, "means", tuple(self.means))
        allowed = f"none or {self.bins + self.categories} finite numbers"
        fits = len(self.means) in (0, self.bins + self.categories)
        checks.must(fits, "means", allowed, len(self.means))
        for mean in self.means:
            checks.must(checks.is_real(mean) and math.isfinite(mean), "means", allowed, mean)

    @property
    def slots(self) -> int:
        """The numbers that an encoded row has of the column: position, values, code."""
        return (self.bins > 0) + self.values + (self.categories > 0)

    @property
    def inputs(self) -> int:
        """The inputs that they stand for."""
        return self.bins + self.values + self.categories

    @property
    def offsets(self) -> tuple[float, ...]:
        """What is taken off each input."""
        if not self.means:
            return (0.0,) * self.inputs
        return (*self.means[: self.bins], *(0.0,) * self.values, *self.means[self.bins :])


class Place(NamedTuple):
    """A column among its neighbours: where its slots and its inputs begin."""

    encoding: ColumnEncoding
    slot: int
    first: int

    @property
    def bins(self) -> slice:
        return slice(self.first, self.first + self.encoding.bins)

    @property
    def values(self) -> slice:
        return slice(self.bins.stop, self.bins.stop + self.encoding.values)

    @property
    def categories(self) -> slice:
        return slice(self.values.stop, self.values.stop + self.encoding.categories)

    @property
    def inputs(self) -> slice:
        return slice(self.first, self.categories.stop)

    @property
    def value_slots(self) -> slice:
        start = self.slot + (self.encoding.bins > 0)
        return slice(start, start + self.encoding.values)

    @property
    def code_slot(self) -> int:
        return self.value_slots.stop


def places_of(columns: Sequence[ColumnEncoding]) -> Iterator[Place]:
    """The columns from left to right."""
    slot = first = 0
    for each in columns:
        yield Place(each, slot, first)
        slot, first = slot + each.slots, first + each.inputs


class Slot(NamedTuple):
    """A number of a row: its kind, its column, and the inputs that it stands for."""

    kind: int
    column: int
    first: int
    inputs: int


@lru_cache(maxsize=KNOWN)
def slots_of(columns: tuple[ColumnEncoding, ...]) -> tuple[Slot, ...]:
    """The slots from left to right."""
    found = list[Slot]()
    for i, (encoding, _, first) in enumerate(places_of(columns)):
        bins, values, categories = encoding.bins, encoding.values, encoding.categories
        found += [Slot(BIN, i, first, bins)] if bins else []
        found += [Slot(VALUE, i, first + bins + k, 1) for k in range(values)]
        found += [Slot(CATEGORY, i, first + bins + values, categories)] if categories else []
    return tuple(found)


@lru_cache(maxsize=KNOWN)
def _limits(columns: tuple[ColumnEncoding, ...]) -> tuple[Array, Array, Array]:
    """The least and the greatest number of each slot, and whether it must be whole."""
    slots = slots_of(columns)
    low = np.array([-np.inf if slot.kind == VALUE else 0 for slot in slots])
    high = np.array([np.inf if slot.kind == VALUE else slot.inputs for slot in slots])
    return low, high, np.array([slot.kind == CATEGORY for slot in slots])


def check_encoded(columns: tuple[ColumnEncoding, ...], x: Array) -> None:
    """ValueError for the first number that no encoded row has."""
    low, high, whole = _limits(columns)
    for start in range(0, len(x), BLOCK):
        block = x[start : start + BLOCK]
        fits = (block >= low) & (block <= high) & ((block == np.floor(block)) | ~whole)
        if not fits.all():
            row, i = np.argwhere(~fits)[0]
            slot = slots_of(columns)[i]
            kinds = {BIN: f"a position in [0, {slot.inputs}]", VALUE: "a number"}
            allowed = kinds.get(slot.kind, f"a code from 0 to {slot.inputs}")
            checks.must(False, f"slot {i} of row {start + row}", allowed, block[row, i].item())


class Inputs(NamedTuple):
    """Of each input the slot that it is made of, its kind, and the bin or code that it is for.

    With d the slot's number less `number`, an input is d between 0 and 1 for a bin, d for a value,
    and whether d is 0 for a category; and from that `offsets` is taken off.
    """

    slots: Array
    kinds: Array
    numbers: Array
    offsets: Array


def inputs_in(columns: Sequence[ColumnEncoding]) -> int:
    """The number of inputs that a row stands for."""
    return sum(each.inputs for each in columns)


def inputs_of(columns: tuple[ColumnEncoding, ...]) -> Inputs:
    slots = slots_of(columns)
    counts = [slot.inputs for slot in slots]
    kinds = np.repeat([slot.kind for slot in slots], counts)
    numbers = np.concatenate([np.arange(n) for n in counts])
    places = np.repeat(np.arange(len(slots)), counts)
    return Inputs(places, kinds, numbers + (kinds == CATEGORY), offsets_of(columns))


def offsets_of(columns: Sequence[ColumnEncoding]) -> Array:
    """What is taken off each input, float64."""
    return np.array([offset for each in columns for offset in each.offsets])


def expanded(columns: tuple[ColumnEncoding, ...], x: Array) -> Array:
    """The inputs that encoded rows stand for, shape (rows, inputs), of the type of `x`."""
    of, z = inputs_of(columns), np.empty((len(x), inputs_in(columns)), x.dtype)
    bins, categories = of.kinds == BIN, of.kinds == CATEGORY
    for start in range(0, len(x), EXPANDED):
        block = slice(start, start + EXPANDED)
        d = x[block][:, of.slots] - of.numbers.astype(x.dtype)
        z[block] = np.where(categories, d == 0, np.where(bins, np.clip(d, 0, 1), d))
        z[block] -= of.offsets.astype(x.dtype)
    return z


def centered(columns: Sequence[ColumnEncoding], x: Array) -> tuple[ColumnEncoding, ...]:
    """The columns with the means that their inputs have in some rows, as numbers of float32."""
    found = []
    for place in places_of(columns):
        each, means = place.encoding, np.zeros(0)
        if each.bins:
            means = _means_of_bins(each.bins, x[:, place.slot])
        if each.categories:
            codes = x[:, place.code_slot].astype(np.int64)
            counts = np.bincount(codes, minlength=each.categories + 1)[1:]
            means = np.append(means, counts / len(x))
        found.append(replace(each, means=tuple(means.astype(np.float32).tolist())))
    return tuple(found)


def _means_of_bins(n: int, position: Array) -> Array:
    own = np.minimum(position.astype(np.int64), n - 1)
    partly = np.bincount(own, position - own, n)
    above = len(own) - np.cumsum(np.bincount(own, minlength=n))
    return (partly + above) / len(own)
