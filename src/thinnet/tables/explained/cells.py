"""How each cell of a row becomes numbers: what is read, and what each transformer makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.impute import MissingIndicator
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, TargetEncoder

from thinnet.arrays import Array
from thinnet.tables import drifting
from thinnet.tables.columns.clipping import SmoothlyClipped
from thinnet.tables.columns.codes import Codes
from thinnet.tables.columns.dates import day_text
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.few import Table
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.kinds import Column, label
from thinnet.tables.columns.pieces import BinPositions, PiecewiseLinear
from thinnet.tables.columns.preparing import parts_of
from thinnet.tables.explained.made import Made, column_of_each, made_by, rare_of, widths
from thinnet.tables.uncertain import shortened, value_text

UNREADABLE: Final = "unreadable"
MIDNIGHT: Final = " 00:00:00"


class Step(NamedTuple):
    """What one transformer makes of a cell.

    Attributes
    ----------
    name : str
        The column as it was prepared; a date is several, such as "born: day".
    text : str
        How, in words and numbers.
    places : array of int
        Where the numbers lie in the encoded row.
    numbers : array
    """

    name: str
    text: str
    places: Array
    numbers: Array


class ReadCell(NamedTuple):
    """A cell, how it was read, and the numbers that it became.

    Attributes
    ----------
    column : Column
        What the column holds.
    text : str
        The cell as it stands in the table, shortened.
    fault : str
        "missing", "unreadable" (no number or date in a column of such), or nothing.
    values : dict
        The number or label of each prepared column.
    steps : tuple of Step
        None of a column that is left out.
    """

    column: Column
    text: str
    fault: str
    values: dict[str, Any]
    steps: tuple[Step, ...]

    @property
    def lines(self) -> list[str]:
        """What the cell becomes: a line for each prepared column."""
        if self.column.kind == "left out":
            return [f"left out: {self.column.why}"]
        start = [f"{self.fault}: it counts as missing"] if self.fault == UNREADABLE else []
        found = [self._line(name) for name in self.values]
        return [*start, *(line for line in found if line)]

    def _line(self, name: str) -> str:
        texts = [step.text for step in self.steps if step.name == name and step.text]
        if self.column.kind != "date" or not texts:
            return "; ".join(texts)
        short, value = name.removeprefix(f"{self.column.name}: "), self.values[name]
        is_day = short == "day" and np.isfinite(value)
        shown = f"{value_text(value)} ({day_text(value)})" if is_day else value_text(value)
        return f"{short} {shown}: {'; '.join(texts)}"


def read_cells(encoder: TableEncoder, table: Table, row: Array) -> tuple[ReadCell, ...]:
    """The cells of a table of one row, which is encoded as `row`."""
    ready = parts_of(table, encoder.columns_)
    column_of = column_of_each(encoder)
    values: dict[str, dict[str, Any]] = {column.name: {} for column in encoder.columns_}
    steps: dict[str, list[Step]] = {column.name: [] for column in encoder.columns_}
    for name, found in ready.items():
        values[column_of[name]][name] = found[0]
    for made in made_by(encoder):
        numbers = row[made.places]
        text = _text(made, ready[made.name][0], numbers)
        steps[column_of[made.name]].append(Step(made.name, text, made.places, numbers))
    return tuple(
        ReadCell(
            column,
            _shown(table, column),
            _fault(table, column, values[column.name]),
            values[column.name],
            tuple(steps[column.name]),
        )
        for column in encoder.columns_
    )


def _shown(table: Table, column: Column) -> str:
    import pandas as pd

    if column.name not in table.names:
        return ""
    cell = table.frame[column.name].iloc[0]
    text = "" if pd.isna(cell) else label(cell)
    return shortened(text.removesuffix(MIDNIGHT) if column.kind == "date" else text)


def _fault(table: Table, column: Column, values: Mapping[str, Any]) -> str:
    if column.kind == "left out":
        return ""
    cells = drifting.cells_of(table, column)
    if cells.missing[0]:
        return "missing"
    return UNREADABLE if cells.unreadable[0] else ""


def _text(made: Made, value: Any, numbers: Array) -> str:
    describe = next((words for kind, words in WORDS.items() if isinstance(made.transformer, kind)),
                    _plain)  # fmt: skip
    return describe(made, value, numbers)


def _filled(made: Made, value: Any) -> tuple[float, str]:
    """The number that is encoded, and words for where it comes from if there was none."""
    number = float(value)
    if not np.isnan(number):
        return number, ""
    filler = 0.0 if made.filler is None else made.filler
    return filler, f"the median {value_text(filler)} in its place; "


def _scaled(made: Made, value: Any, numbers: Array) -> str:
    of, i = made.transformer, made.column
    number, words = _filled(made, value)
    inside = float(np.clip(number, of.low_[i], of.high_[i]))
    if inside != number:
        words += f"beyond {value_text(inside)}, the end of the range learned; "
    center, scale = float(of.center_[i]), float(of.scale_[i])
    sign = "-" if center >= 0 else "+"
    z = (inside - center) / scale
    shown = f"({value_text(inside)} {sign} {value_text(abs(center))}) / {value_text(scale)}"
    clipped = value_text(float(numbers[0]))
    return f"{words}{shown} = {value_text(z)}, clipped smoothly to {clipped}"


def _position(made: Made, value: Any, numbers: Array) -> str:
    edges = made.transformer.edges_[made.column]
    position = float(np.sum(numbers, dtype=np.float64))
    own = min(int(position), len(edges) - 2)
    ends = f"{value_text(float(edges[own]))} to {value_text(float(edges[own + 1]))}"
    return f"bin {own + 1} of {len(edges) - 1}, {ends}: {value_text(position - own)} of it"


def _score(made: Made, value: Any, numbers: Array) -> str:
    _, words = _filled(made, value)
    return f"{words}normal score {value_text(float(numbers[0]))}"


def _missing(made: Made, value: Any, numbers: Array) -> str:
    return "marked as missing" if len(numbers) and numbers[0] else ""


def _category(made: Made, value: Any, numbers: Array) -> str:
    of, i = made.transformer, made.column
    is_code = isinstance(of, Codes)
    code = int(numbers[0]) if is_code else int(np.argmax(numbers) + 1) * bool(numbers.any())
    n, rare = widths(of)[i], rare_of(of)[i]
    unseen = "" if str(value) in map(str, of.categories_[i]) else "not seen in training: "
    if code == 0:
        return f"{unseen}none of {n} categories"
    shared = " (the rare ones together)" if rare is not None and code == n else ""
    return f"{unseen}category {code} of {n}{shared}"


def _mean_target(made: Made, value: Any, numbers: Array) -> str:
    return f"mean target {', '.join(value_text(float(number)) for number in numbers)}"


def _hashed(made: Made, value: Any, numbers: Array) -> str:
    return f"{np.count_nonzero(numbers)} of {len(numbers)} hashed counts of its parts are not 0"


def _plain(made: Made, value: Any, numbers: Array) -> str:
    return ", ".join(value_text(float(number)) for number in numbers)


WORDS: Final[dict[type, Callable[[Made, Any, Array], str]]] = {
    BinPositions: _position,
    PiecewiseLinear: _position,
    SmoothlyClipped: _scaled,
    QuantileTransformer: _score,
    MissingIndicator: _missing,
    OneHotEncoder: _category,
    TargetEncoder: _mean_target,
    HashedText: _hashed,
}
