"""Formulas held against the numbers that a pass has found."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.explaining import places
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import children
from thinnet.formulas.values import value_of
from thinnet.tracing.names import PlaceNames
from thinnet.tracing.numbers import Number

LARGE: Final = 100_000  # terms; arrays of more are checked by their matrix formula alone


def checked(quantity: Quantity, names: PlaceNames, allowed: float) -> int:
    """The number of formulas of an array; AssertionError where one does not hold."""
    n, whole = 0, quantity.whole
    if whole is not None:
        with np.errstate(all="ignore"):
            computed = np.broadcast_to(value_of(whole), quantity.shape)
        _hold(quantity, names, computed, allowed)
        n += 1
    if quantity.element is not None and (whole is None or _terms(quantity) <= LARGE):
        formulas = map(quantity.formula, places(quantity.shape))
        with np.errstate(all="ignore"):
            computed = np.array([value_of(formula) for formula in formulas if formula is not None])
        _hold(quantity, names, computed.reshape(quantity.shape), allowed)
        n += quantity.values.size
    return n


def _terms(quantity: Quantity) -> int:
    """About how many terms the formulas of all numbers have together."""
    first = next(places(quantity.shape), None)
    formula = None if first is None else quantity.formula(first)
    return 0 if formula is None else quantity.values.size * len(children(formula))


def _hold(quantity: Quantity, names: PlaceNames, computed: Array, allowed: float) -> None:
    values = np.asarray(quantity.at(None))
    with np.errstate(invalid="ignore"):
        near = np.abs(computed - values) <= allowed * np.maximum(1, np.abs(values))
    near |= (computed == values) | ~(np.isfinite(computed) | np.isfinite(values))
    if near.all():
        return
    at = tuple(map(int, np.argwhere(~near)[0]))
    one = Number(quantity, at, names)
    found = float(computed[at])
    raise AssertionError(f"{one.name} is {one.value!r}, but its formula gives {found!r}")
