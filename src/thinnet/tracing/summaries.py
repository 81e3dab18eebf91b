"""What is said of many numbers at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.quantities import Quantity
from thinnet.tracing.names import PlaceNames
from thinnet.tracing.numbers import Number
from thinnet.tracing.selecting import Axes


@dataclass(frozen=True, slots=True)
class Summary:
    """An array of a trace that has too many numbers to show them all.

    Attributes
    ----------
    quantity : Quantity
    axes : tuple of array
        The places that are shown, along each axis.
    names : PlaceNames
    digits : int
    """

    quantity: Quantity
    axes: Axes
    names: PlaceNames
    digits: int

    @property
    def values(self) -> Array:
        return self.quantity.values[np.ix_(*self.axes)]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.axes))

    @property
    def statistics(self) -> dict[str, float]:
        """Mean, standard deviation, least and greatest number, and the share of zeros."""
        values = self.values.astype(np.float64)
        return {
            "mean": float(values.mean()),
            "deviation": float(values.std()),
            "least": float(values.min()),
            "greatest": float(values.max()),
            "zeros": float((values == 0).mean()),
        }

    @property
    def is_constant(self) -> bool:
        values = self.values
        return bool((values == values.flat[0]).all())

    def largest(self, n: int) -> list[Number]:
        """The numbers that are furthest from 0, the furthest first; none if all are the same."""
        if self.is_constant:
            return []
        sizes = np.abs(self.values).ravel()
        order = np.argsort(-sizes, kind="stable")[:n]
        found = zip(*np.unravel_index(order, self.shape), strict=True)
        return [self._number(at) for at in found]

    def _number(self, at: tuple[int, ...]) -> Number:
        place = tuple(int(axis[i]) for axis, i in zip(self.axes, at, strict=True))
        return Number(self.quantity, place, self.names, self.digits)
