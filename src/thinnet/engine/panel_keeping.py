"""Panels of weights from one prediction to the next, for as long as nobody may have written."""

from __future__ import annotations

from enum import Enum
from typing import Final

from thinnet.engine.lowered import Parameters

FEW: Final = 2  # rows for which laying weights down as panels takes longer than their products
MANY: Final = FEW + 1
# Times that the same weights are asked for a few rows before they are laid down: panels of wide
# layers save a quarter of the time that laying them down takes.
PATIENCE: Final = 3


class Way(Enum):
    """How the products of a prediction read the weights."""

    KEPT = "from the panels that there are"
    PACKED = "from panels that are laid down first"
    DIRECT = "as they stand in theta"


class KeptPanels:
    """Whether the panels of a predictor hold the weights as they are now."""

    def __init__(self, parameters: Parameters, few: int = FEW) -> None:
        self._parameters, self._few = parameters, few
        self._held: int | None = None  # the version that the panels hold
        self._now: int | None = None  # the version of the last that was asked; None: unknown
        self._asked = 0  # how often that version was, for a few rows

    def way(self, rows: int) -> Way:
        """The fastest for so many rows; after `PACKED` the panels hold nothing until `packed`."""
        if self._held == self._parameters.version:
            return Way.KEPT
        before, self._now, self._held = self._now, self._parameters.settled(), None
        self._asked = self._asked + 1 if self._now is not None and self._now == before else 0
        return Way.DIRECT if rows <= self._few and self._asked < PATIENCE else Way.PACKED

    def packed(self) -> None:
        """The panels hold the weights as they were when `PACKED` was the way."""
        self._held = self._now
