"""The fields of an explained row, and the columns in the order of what they matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thinnet.arrays import Array, DataFrame
from thinnet.tables.explained.answers import Answer, ErrorBar
from thinnet.tables.explained.cells import ReadCell
from thinnet.tables.explained.first_layer import FirstLayer
from thinnet.tables.explained.typical import Typical
from thinnet.tracing.traces import Trace
from thinnet.uncertainty.draws.heads import Head


@dataclass(frozen=True, eq=False, repr=False)
class Explained:
    """The parts of `ExplainedRow`, without their text."""

    row: int
    member: int | None
    head: Head
    encoded: Array
    cells: tuple[ReadCell, ...]
    first_layer: FirstLayer
    answer: Answer
    error_bar: ErrorBar | None
    typical: Typical
    trace: Trace
    is_target_known: bool

    def to_frame(self) -> DataFrame:
        """The columns that are used, those that move the answer most first.

        Returns
        -------
        pandas.DataFrame
            `column`, `kind`, `cell`, `typical` (texts; empty where a cell is missing), `norm` and
            `effect` of `first_layer`, and `move`: the answer with the typical value less the answer
            as it is.  Of classes they are about the predicted one's probability; of several
            targets `effect` and `move` have the target's name behind them.
        """
        import pandas as pd

        by_name = {cell.column.name: cell for cell in self.cells}
        used = [by_name[name] for name in self.typical.columns]
        found: dict[str, Any] = {
            "column": [cell.column.name for cell in used],
            "kind": [cell.column.kind for cell in used],
            "cell": [cell.text for cell in used],
            "typical": list(self.typical.texts),
            "norm": self.first_layer.norms,
        }
        places = self.answer.places
        for i, place in enumerate(places):
            behind = f" {self.answer.names[place]}" if len(places) > 1 else ""
            found[f"effect{behind}"] = self.first_layer.effects[:, i]
            found[f"move{behind}"] = self.typical.moves[:, place]
        return pd.DataFrame(found).iloc[self.order].reset_index(drop=True)

    @property
    def order(self) -> Array:
        """The places of the columns that are used: those that move the answer most come first."""
        moves = np.abs(self.typical.moves[:, list(self.answer.places)])
        return np.argsort(-moves.max(axis=1), kind="stable")
