"""The arrays of a trace: what stands in them, how it is named, and the formula of each number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.naming import Name, text
from thinnet.formulas.trees import Index, Node, Ref

Kind: TypeAlias = Literal[
    "input",
    "target",
    "sample weight",
    "parameter",
    "state",
    "setting",
    "random",
    "mask",
    "statistic",
    "output",
    "loss",
    "penalty",
    "gradient",
    "moment",
    "update",
    "measured",
]
Place: TypeAlias = tuple[int, ...]
Element: TypeAlias = Callable[..., Node]  # of the places along the axes


@dataclass(eq=False, slots=True, repr=False)
class Quantity:
    """An array of a trace.

    Attributes
    ----------
    key : Name
        The name of the whole array.
    values : array
        In the network's type, or float64.
    kind : Kind
    layer : int or None
        The ordinal of its layer, from 0; None if it belongs to none.
    by_rows : bool
        Whether the first axis is that of the batch's rows.
    element : callable or None
        Makes the formula of one number from its place; None where there is none.
    whole : Node or None
        The formula of the whole array.
    of_units : bool
        Whether the first axis, behind that of the rows, is that of its layer's units.
    """

    key: Name
    values: Array
    kind: Kind
    layer: int | None = None
    by_rows: bool = False
    element: Element | None = None
    whole: Node | None = None
    of_units: bool = True

    def by(self, element: Element, whole: Node | None = None) -> None:
        """Say how each number follows from others, and how the whole array does."""
        self.element, self.whole = element, whole

    def __repr__(self) -> str:
        return f"<Quantity {text(self.key)} of shape {self.shape}>"

    def each(self, formula: Callable[[Index], Node]) -> None:
        """Say how each number follows from those at its own place; without a place, how all do."""
        self.by(lambda *at: formula(at), formula(None))

    def at(self, index: Index) -> Any:
        """The numbers in float64: what a formula comes to does not depend on the network's type."""
        found = self.values if index is None else self.values[index]
        return found.astype(np.float64) if np.ndim(found) else float(found)

    def __getitem__(self, place: int | Index) -> Ref:
        return Ref(self, (place,) if isinstance(place, int) else place)

    @property
    def all(self) -> Ref:
        return Ref(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def formula(self, index: Index) -> Node | None:
        """The formula of one number, or of all; None where there is none."""
        if index is None:
            return self.whole
        return None if self.element is None else self.element(*index)
