"""Cells of text: which are missing, and which are numbers or dates."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import numpy as np

# pandas is imported where it is needed, so that `import thinnet` stays light.
Frame: TypeAlias = Any  # pandas.DataFrame
Cells: TypeAlias = Any  # pandas.Series

MISSING: Final = frozenset(
    ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None")
)
DASH: Final = "-"  # missing among numbers; among texts it may be a text

# [0-9], not \d: pandas' own engine for text takes \d for fewer signs than Python does.
EXPONENT: Final = "(?:[eE][+-]?[0-9]+)?"
# No two repetitions of the same signs stand side by side: else a long cell takes quadratic time.
NUMBER: Final = re.compile(
    f"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+){EXPONENT}|[+-]?inf(?:inity)?", re.IGNORECASE
)
POINT_NUMBER: Final = re.compile(rf"[+-]?[0-9]*\.[0-9]+{EXPONENT}")
LIKE_THOUSANDS: Final = re.compile("[+-]?[1-9][0-9]{0,2},[0-9]{3}")
COMMA_NUMBER: Final = re.compile(f"[+-]?[0-9]*,[0-9]+{EXPONENT}")
THOUSANDS: Final = re.compile("[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
DATE: Final = re.compile(r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}(?:[ T][0-9]{1,2}:[0-9]{2}.*)?")


def kind(cell: str) -> str | None:
    """Whether a cell is a ``number``, a ``date`` or a ``text``; None where it is missing."""
    if cell in MISSING or cell == DASH:
        return None
    if NUMBER.fullmatch(cell):
        return "number"
    return "date" if DATE.fullmatch(cell) else "text"


def text_type() -> Any:
    """The type of text in which NaN is missing, the same in pandas 2.3 and 3."""
    import pandas as pd

    return pd.StringDtype(na_value=np.nan)


def tidied(column: Cells, decimal: str) -> Cells:
    """A column of text without blanks around its cells, and with points in its numbers.

    "1,234" becomes "1.2340", which nobody can take for thousands later.
    """
    column = column.str.strip()
    column = column.mask(column.isin(list(MISSING)))
    if decimal == ",":
        numbers = column.str.fullmatch(COMMA_NUMBER.pattern, na=False)
        like_thousands = column.str.fullmatch(LIKE_THOUSANDS.pattern, na=False)
        column = column.mask(like_thousands, column + "0")
        column = column.mask(numbers, column.str.replace(",", ".", regex=False))
    return column
