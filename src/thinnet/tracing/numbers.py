"""A number of a trace: its name, its value, its formula, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from thinnet import checks
from thinnet.formulas.naming import Name, text
from thinnet.formulas.plain import formula_text, number
from thinnet.formulas.quantities import Kind, Place, Quantity
from thinnet.formulas.trees import Node, Ref, leaves
from thinnet.formulas.values import value_of

if TYPE_CHECKING:
    from thinnet.tracing.names import PlaceNames

DIGITS: Final = 6
GIVEN: Final = frozenset(  # kinds whose numbers follow from no others of the step
    {"input", "target", "sample weight", "parameter", "state", "setting", "random", "measured"}
)
MOST: Final = 50  # numbers of a level that `why` shows


@dataclass(frozen=True, slots=True, repr=False)
class Number:
    """One number of a trace: its name, value, formula and origin.

    Attributes
    ----------
    quantity : Quantity
        The array that it stands in.
    place : tuple of int
        Its place there.
    names : PlaceNames
    digits : int
        The significant digits that are shown.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Network, ReLU, trace
    >>> network = Network([Dense(2), ReLU()], features=1, seed=0, dtype=np.float64)
    >>> network.sites[0].p.W[:] = [[2.0], [-1.0]]
    >>> n = trace(network, [[3.0]])["y0[0, 1]"]
    >>> print(n)
    y0[0, 1] = x[0, 0] * W0[1, 0] + b0[1] = 3 * (-1) + 0 = -3
    >>> [parent.name for parent in n.parents], n.kind, n.layer, n.unit
    (['x[0, 0]', 'W0[1, 0]', 'b0[1]'], 'output', 0, 1)
    >>> print(trace(network, [[3.0]])["y1[0, 1]"].why(levels=1))
    y1[0, 1] = max(y0[0, 1], 0) = max(-3, 0) = 0
      y0[0, 1] = x[0, 0] * W0[1, 0] + b0[1] = 3 * (-1) + 0 = -3
    """

    quantity: Quantity
    place: Place
    names: PlaceNames
    digits: int = DIGITS

    @property
    def name(self) -> str:
        return text(self.names.name(self.quantity, self.place))

    @property
    def value(self) -> float:
        return float(self.quantity.values[self.place])

    @property
    def tree(self) -> Node | None:
        """The formula as a tree; None for what was given or drawn."""
        return self.quantity.formula(self.place)

    @property
    def formula(self) -> str:
        """The formula with the names of its parents; empty where there is none."""
        tree = self.tree
        return "" if tree is None else formula_text(tree, self._name_of)

    @property
    def with_numbers(self) -> str:
        """The formula with the values of its parents."""
        tree = self.tree
        return "" if tree is None else formula_text(tree, self._value_of)

    @property
    def computed(self) -> float:
        """What the formula comes to; the value itself where there is none."""
        tree = self.tree
        with np.errstate(all="ignore"):
            return self.value if tree is None else float(value_of(tree))

    @property
    def parents(self) -> list[Number]:
        """The numbers that the formula refers to, each once; arrays as a whole are left out."""
        tree = self.tree
        if tree is None:
            return []
        found = dict[tuple[int, Place], Number]()
        for leaf in leaves(tree):
            if leaf.index is not None:
                one = self._of(leaf)
                found.setdefault((id(one.quantity), one.place), one)
        return list(found.values())

    @property
    def kind(self) -> Kind:
        """What it is: "input", "parameter", "random", "mask", "output", "gradient" and so on."""
        return self.quantity.kind

    @property
    def layer(self) -> int | None:
        """The place of its layer in the network; None if it belongs to none."""
        return self.quantity.layer

    @property
    def unit(self) -> int | None:
        """The place along the axis of units; None for a single number."""
        inside = self.place[1:] if self.quantity.by_rows else self.place
        return inside[0] if inside else None

    def why(self, levels: int | None = None) -> str:
        """Where the number comes from: its parents, theirs, and so on back to the inputs.

        Parameters
        ----------
        levels : int, optional
            How many levels to go back, at least 0; None for all.  Of a level's numbers the first 50
            are shown, and followed.

        Raises
        ------
        ValueError
            If `levels` is out of its range.
        """
        if levels is not None:
            checks.integer("levels", levels, 0)
        return "\n".join(self._lines(levels))

    def _lines(self, levels: int | None) -> Iterator[str]:
        known, level, depth = {self._key}, [self], 0
        while level and (levels is None or depth <= levels):
            shown = level[:MOST]
            yield from (f"{'  ' * depth}{one}" for one in shown)
            if len(level) > MOST:
                yield f"{'  ' * depth}and {len(level) - MOST:,} more"
            parents = [parent for one in shown for parent in one.parents]
            level = []
            for parent in parents:
                if parent._key not in known:
                    known.add(parent._key)
                    level.append(parent)
            depth += 1

    @property
    def _key(self) -> tuple[int, Place]:
        return id(self.quantity), self.place

    def _of(self, leaf: Ref) -> Number:
        assert isinstance(leaf.known, Quantity)
        return Number(leaf.known, leaf.index or (), self.names, self.digits)

    def name_of(self, leaf: Ref) -> Name:
        """The name of what a formula refers to."""
        assert isinstance(leaf.known, Quantity)
        return self.names.name(leaf.known, leaf.index)

    def value_of(self, leaf: Ref) -> float | None:
        """Its value; None of an array as a whole."""
        found = leaf.known.at(leaf.index)
        return None if np.ndim(found) else float(found)

    def _name_of(self, leaf: Ref) -> str:
        return text(self.name_of(leaf))

    def _value_of(self, leaf: Ref) -> str:
        value = self.value_of(leaf)
        return self._name_of(leaf) if value is None else number(value, self.digits)

    @property
    def sides(self) -> list[str]:
        """What stands behind the name, equal to each other: formula, numbers, value."""
        value = number(self.value, self.digits)
        found = dict.fromkeys((self.formula, self.with_numbers))
        return [*(side for side in found if side not in ("", value)), value]

    def __str__(self) -> str:
        return " = ".join([self.name, *self.sides])

    def __repr__(self) -> str:
        return str(self)

    def __float__(self) -> float:
        return self.value
