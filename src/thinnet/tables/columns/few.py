"""Cells of a few rows, read one by one: pandas takes far longer for a call than they for all.

What is read is what `preparing` makes of them; cells of types that are not known here are its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.tables.columns import amounts
from thinnet.tables.columns.kinds import CODES, HUGE, MISSING_LABEL, Column
from thinnet.tables.columns.missing import has_utf8, numbers_of
from thinnet.tables.reading.cells import DASH, Cells, Frame
from thinnet.tables.reading.labels import label, number_or_text

FEW: Final = 32  # rows
READ: Final = ("number", "category", "text")  # kinds of columns
NUMBERS: Final = {float, int, bool, np.float64, np.int64, np.bool_}
BLANKS: Final = " \t\n\r\v\f"  # that all libraries take for such


class Few(NamedTuple):
    """Numbers or labels, and which cells are missing."""

    values: Array
    missing: Array


class Words(NamedTuple):
    """What means a missing cell, as text and as number."""

    texts: frozenset[str]
    numbers: list[float]


@lru_cache(maxsize=64)
def _words(missing: tuple[str, ...]) -> Words:
    return Words(frozenset(missing), numbers_of(missing))


class Table:
    """A table to predict for; each of its columns is read once.

    Parameters
    ----------
    frame : pandas.DataFrame
    missing : tuple of str or None
        The words that mean a missing cell; None where a model has none.
    """

    def __init__(self, frame: Frame, missing: tuple[str, ...] | None) -> None:
        self.frame, self.missing = frame, missing
        self.names = set(frame.columns)
        self._read: dict[str, Few | None] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def read(self, column: Column) -> Few | None:
        """The cells of a column; None where `preparing` is to read them."""
        if self.missing is None or len(self.frame) > FEW or column.kind not in READ:
            return None
        if column.name not in self._read:
            cells, words = self.frame[column.name], _words(self.missing)
            self._read[column.name] = _few(cells, column, words)
        return self._read[column.name]


def _few(cells: Cells, column: Column, words: Words) -> Few | None:
    dtype, is_number = cells.dtype, column.kind == "number"
    if is_number and dtype == np.float64:
        values = cells.to_numpy()
        is_word = np.isin(values, words.numbers) if words.numbers else False
        return Few(_ranged(values, column, words), np.isnan(values) | is_word)
    if (plain := _plain(cells, words)) is None:
        return None
    if is_number:
        missing = [value is None or (type(value) is str and value == DASH) for value in plain]
        return Few(_ranged(_as_numbers(plain, column.form), column, words), np.array(missing))
    named, hole = _naming(column)
    labels = [hole if value is None else named(value) for value in plain]
    return Few(np.array(labels, object), np.array([value is None for value in plain]))


def _naming(column: Column) -> tuple[Any, str]:
    return label if column.form == CODES else number_or_text, (
        "" if column.kind == "text" else MISSING_LABEL
    )


def _plain(cells: Cells, words: Words) -> list[Any] | None:
    """Cells as `missing.cleaned` has them, None for missing ones; None for all if one is odd."""
    import pandas as pd

    dtype = cells.dtype
    if isinstance(dtype, pd.StringDtype):
        return _texts(cells.array, words)
    if not isinstance(dtype, np.dtype) or dtype not in (bool, np.int64, np.float64, object):
        return None
    values = cells.to_numpy()
    kinds = set(map(type, values)) - {str, type(None)}
    if len(kinds) > 1 or not kinds <= NUMBERS:  # equal ones of several types are one label
        return None
    if not all(has_utf8(value) for value in values if type(value) is str):
        return None
    return [_text(v, words) if type(v) is str else _number(v, words) for v in values]


def _texts(cells: Iterable[Any], words: Words) -> list[Any] | None:
    values = [value if type(value) is str else None for value in cells]
    if any(v is not None and v.strip() != v.strip(BLANKS) for v in values):
        return None
    return [None if value is None else _text(value, words) for value in values]


def _text(value: str, words: Words) -> str | None:
    text = value.strip()
    return None if text in words.texts else text


def _number(value: Any, words: Words) -> Any:
    if value is None or value != value:
        return None
    is_word = words.numbers and not isinstance(value, bool | np.bool_) and value in words.numbers
    return None if is_word else value


def _as_numbers(plain: list[Any], form: str) -> Array:
    if form:
        plain = [amounts.value_of(v, form) if type(v) is str else v for v in plain]
    return np.asarray(amounts.numeric(np.array(plain, object)), np.float64)


def _ranged(values: Array, column: Column, words: Words) -> Array:
    if words.numbers:
        values = np.where(np.isin(values, words.numbers), np.nan, values)
    if (np.abs(values) > HUGE).any():
        values = np.where(values < column.low, column.low, values)
        values = np.where(values > column.high, column.high, values)
    return values
