"""Numbers as people write them: "$1,023.45", "50.1%", "1 234,5 €", "(12.00)"."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

import numpy as np

from thinnet.tables.reading.cells import NUMBER, Cells
from thinnet.tables.reading.labels import CODE

LARGEST: Final = int(sys.float_info.max)
DOLLARS: Final = ("US$", "AU$", "A$", "C$", "HK$", "NZ$", "R$", "S$")
CODES: Final = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HUF", "INR", "JPY", "NOK"),
    *("PLN", "SEK", "USD", "Fr.", "kr", "zł", "Kč", "Rs.", "Rs"),
)
PATTERNS: Final = {  # by the decimal mark: a sign, digits in groups or not, decimals
    mark: re.compile(
        rf"([+-]?)((?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|[1-9]\d{{0,2}}(?: \d{{3}})+|"
        rf"[1-9]\d{{0,2}}(?:'\d{{3}})+|\d+))((?:{re.escape(mark)}\d+)?)"
    )
    for mark, group in ((".", ","), (",", r"\."))
}
LONGEST: Final = 60  # characters: no amount is longer
DIGIT: Final = re.compile(r"\d")
PLAIN: Final = " "  # in place of a decimal mark, for numbers that are not amounts
_of_table: ContextVar[str | None] = ContextVar("decimal mark of the table", default=None)


@cache
def _plainer() -> dict[int, str]:
    """A translation that drops signs of money and per cent, and makes all blanks one."""
    table = {code: "" for code in range(0x2FFF) if unicodedata.category(chr(code)) == "Sc"}
    table |= dict.fromkeys((0xFF04, 0xFFE0, 0xFFE1, 0xFFE5), "")
    table |= {ord("%"): "", ord("\N{MINUS SIGN}"): "-", ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'"}
    return table | dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F), " ")


def _bare(text: str) -> str:
    """The number in a text of money or per cent; empty for what cannot be an amount."""
    if len(text) > LONGEST or not DIGIT.search(text):
        return ""
    for dollars in DOLLARS if "$" in text[1:] else ():
        text = text.replace(dollars, "$")
    bare = text.strip().translate(_plainer()).strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1].strip().translate(_plainer())}"
    sign = bare[:1] if bare[:1] in "+-" else ""
    bare = bare[len(sign) :].strip()
    if not (bare[:1].isdecimal() and bare[-1:].isdecimal()):
        for code in CODES:
            bare = bare.removeprefix(code).removesuffix(code).strip()
    second = bare[:1] if not sign and bare[:1] in "+-" else ""
    return sign + second + bare[len(second) :].strip()


def decimal_of(texts: Iterable[Any], least: float = 1.0) -> str | None:
    """The decimal mark of cells, at least the fraction `least` of which are amounts; else None.

    Beside amounts stand plain numbers, written with a point.  Where "1,234" may be either, a comma
    stands between thousands and a point before decimals; but in per cent both stand before
    decimals, and with money behind the number both between thousands; in a table whose numbers
    have a decimal comma (`written_with`) a comma stands before decimals.
    """
    counted = Counter(map(str, texts))
    bare = {text: _bare(text) for text in counted if not is_plain(text)}
    fits = {
        mark: {text for text in bare if form.fullmatch(bare[text])}
        for mark, form in PATTERNS.items()
    }
    n_plain = sum(n for text, n in counted.items() if text not in bare)
    n = {mark: n_plain + sum(counted[text] for text in each) for mark, each in fits.items()}
    most = max(n.values())
    if most == 0 or most < least * counted.total():
        return None
    if n["."] != n[","]:
        return max(n, key=lambda mark: n[mark])
    both = sorted(fits["."] & fits[","])
    return _usual(both, [bare[text] for text in both])


def is_plain(text: str) -> bool:
    """Whether a text is a number with a point before its decimals, as in files of data."""
    return "," not in text and NUMBER.fullmatch(text.strip()) is not None


def _usual(given: Sequence[str], bare: Sequence[str]) -> str:
    """The usual decimal mark of amounts that can be read with both marks."""
    present = {mark for mark in ".," if any(mark in text for text in bare)}
    if len(present) != 1:
        return "."
    if _of_table.get() == ",":
        return ","
    (mark,) = present
    if any("%" in text for text in given):
        return mark
    behind = all(not text.strip()[-1:].isdigit() for text in given)
    return "." if mark == "," else "," if behind else "."


@contextmanager
def written_with(decimal: str | None) -> Iterator[None]:
    """A context for reading a table whose numbers have this decimal mark, if that is known."""
    token = _of_table.set(decimal or _of_table.get())
    try:
        yield
    finally:
        _of_table.reset(token)


def read(cells: Cells, decimal: str) -> Cells:
    """Numbers as float64, NaN for what is no amount."""
    return numeric(with_numbers(cells, decimal)).astype(np.float64)


def numeric(cells: Any) -> Any:
    """Cells as numbers, NaN for what is none; whole numbers beyond float64 are infinite."""
    import pandas as pd

    try:
        return pd.to_numeric(cells, errors="coerce")
    except OverflowError:
        found = pd.to_numeric(np.array([*map(_of_float64, cells)], object), errors="coerce")
        return pd.Series(found, cells.index) if isinstance(cells, pd.Series) else found


def _of_float64(cell: Any) -> Any:
    is_far = isinstance(cell, int) and abs(cell) > LARGEST
    return math.copysign(math.inf, cell > 0 or -1) if is_far else cell


def with_numbers(cells: Cells, decimal: str) -> Cells:
    """Cells in which texts are numbers, NaN for those that are none; all else as it is."""
    import pandas as pd

    places, distinct = pd.factorize(cells.astype(object))
    values = [value_of(cell, decimal) if isinstance(cell, str) else cell for cell in distinct]
    table = np.empty(len(values) + 1, object)
    table[:-1], table[-1] = values, np.nan
    return pd.Series(table[places], cells.index, dtype=object, name=cells.name)


def value_of(text: str, decimal: str) -> float:
    found = PATTERNS[decimal].fullmatch(_bare(text))
    if found is None:
        return float(text) if is_plain(text) else np.nan
    sign, whole, decimals = found.groups()
    digits = whole.translate({ord(mark): "" for mark in ",.' "})
    return float(f"{sign}{digits}{decimals.replace(',', '.')}")


def amounts_text(cells: Any, numbers: Any) -> str:
    """Words for how the longest of the cells is read."""
    place = max(range(len(cells)), key=lambda i: len(str(cells[i])))
    return f"cells such as {str(cells[place])!r} are read as {numbers[place]:.15g}"


def reading_text(cells: Any, numbers: Any, mark: str) -> str:
    """Words for how targets are read, where that may surprise; empty otherwise."""
    if mark != PLAIN:
        return amounts_text(cells, numbers)
    codes = [i for i, cell in enumerate(cells) if isinstance(cell, str) and CODE.fullmatch(cell)]
    return amounts_text(cells[codes], numbers[codes]) if codes else ""


def plain(y: Any, decimals: str | None) -> Any:
    """Targets in which amounts are numbers; others stay as they came.

    Raises
    ------
    ValueError
        If a text among them is no number.
    """
    values = np.asarray(y)
    if values.dtype.kind not in "OU":
        return y
    columns = values.reshape(len(values), -1).T if values.ndim else values.reshape(1, 1)
    marks = decimals or PLAIN * len(columns)
    if len(marks) != len(columns):
        return y
    read = [_target(column, mark) for column, mark in zip(columns, marks, strict=True)]
    return np.array(read, object).T.reshape(values.shape)


def _target(column: Any, mark: str) -> Any:
    """Texts as numbers; ValueError for one that is none."""
    amounts = column if mark == PLAIN else with_numbers(_series(column), mark).to_numpy()
    for text, number in zip(column, amounts, strict=True):
        if isinstance(text, str) and (not _is_number(text) if mark == PLAIN else np.isnan(number)):
            raise ValueError(f"y must hold numbers, got {str(text)!r}")
    return amounts


def decimals_needed(y: Any) -> str | None:
    """A decimal mark for each column of targets, a blank where it has no amounts; None for none."""
    values = np.asarray(y)
    if values.dtype.kind not in "OU" or not values.ndim:
        return None
    marks = "".join(map(_needed, values.reshape(len(values), -1).T))
    return marks if marks.strip() else None


def _needed(column: Any) -> str:
    texts = [value for value in column if isinstance(value, str)]
    return PLAIN if all(map(_is_number, texts)) else decimal_of(texts) or PLAIN


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _series(values: Any) -> Cells:
    import pandas as pd

    return pd.Series(values.ravel(), dtype=object)
