"""What a trace consists of, and which of it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from thinnet.formulas.quantities import Place, Quantity
from thinnet.network import Network
from thinnet.tracing import selecting
from thinnet.tracing.names import PlaceNames
from thinnet.tracing.numbers import DIGITS, Number
from thinnet.tracing.sections import Section
from thinnet.tracing.selecting import OneUnit, Selection
from thinnet.tracing.summaries import Summary

MANY: Final = 300  # numbers; of more than these arrays are summarised
FEW: Final = 16  # numbers of an array that is never summarised


class Contents:
    """Sections of quantities, the names of their numbers, and the selection that is shown.

    Parameters
    ----------
    sections : sequence of Section
    network : Network
    names : PlaceNames
    of : Selection
    """

    def __init__(
        self, sections: Sequence[Section], network: Network, names: PlaceNames, of: Selection
    ) -> None:
        self.sections, self.network = list(sections), network
        self.names, self.of, self.digits = names, of, DIGITS
        shown = (of.axes(quantity) for quantity in self.quantities)
        self.is_long = sum(selecting.count(axes) for axes in shown if axes is not None) > MANY

    @property
    def quantities(self) -> list[Quantity]:
        return list(dict.fromkeys(q for section in self.sections for q in section.quantities))

    @property
    def shows_one_unit(self) -> bool:
        return isinstance(self.of, OneUnit)

    def number(self, quantity: Quantity, at: Place) -> Number:
        return Number(quantity, at, self.names, self.digits)

    def numbers(self, section: Section) -> Iterator[Number]:
        """All that is selected, one by one."""
        for quantity in section.quantities:
            axes = self.of.axes(quantity)
            for at in () if axes is None else selecting.places(axes):
                yield self.number(quantity, at)

    def shown(self, section: Section) -> Iterator[Number | Summary]:
        """What is shown of a section: its numbers, or summaries of arrays where they are many."""
        for quantity in section.quantities:
            axes = self.of.axes(quantity)
            if axes is None or not (size := selecting.count(axes)):
                continue
            if self.is_long and size > FEW:
                yield Summary(quantity, axes, self.names, self.digits)
            else:
                yield from (self.number(quantity, at) for at in selecting.places(axes))
