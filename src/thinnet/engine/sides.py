"""Sides: the inputs or outputs of layers over whose presence the same dropouts decide.

Such a dropout, with one mask for the batch, is called a governor (`thinnet.layers.presence`).  Side
0 has none: all of it exists.
"""

from __future__ import annotations

from collections.abc import Sequence

from thinnet.engine.drawing import Drawings
from thinnet.engine.records import Governor
from thinnet.layers.presence import Place


class Sides:
    """The sides that the layers of a network have, by number."""

    def __init__(self, drawings: Drawings) -> None:
        self._drawings = drawings
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self.widths = [0]
        self.governors: list[Governor] = []

    def number(self, governors: Sequence[Place], width: int) -> int:
        """The number of the side that these dropouts govern, a new one where there is none."""
        key = tuple(site.ordinal for _, site in governors)
        if key not in self._numbers:
            self._numbers[key] = len(self.widths)
            self.widths.append(width)
            for layer, site in governors:
                governor = Governor(side=self._numbers[key])
                self._drawings.enter(governor, layer, site)
                self.governors.append(governor)
        return self._numbers[key]
