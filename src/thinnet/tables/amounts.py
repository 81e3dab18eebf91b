"""Numbers as people write them: "$1,023.45", "50.1%", "1 234,5 €", "(12.00)"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import numpy as np

from thinnet.tables.cells import Column

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


@cache
def _plainer() -> dict[int, str]:
    """Signs of money and per cent as nothing, all blanks and apostrophes as one of them."""
    table = {code: "" for code in range(0x2FFF) if unicodedata.category(chr(code)) == "Sc"}
    table |= dict.fromkeys((0xFF04, 0xFFE0, 0xFFE1, 0xFFE5), "")
    table |= {ord("%"): "", ord("\N{MINUS SIGN}"): "-", ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'"}
    return table | dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F), " ")


def _bare(text: str) -> str:
    """The number in a text of money or per cent; what no amount can be becomes nothing."""
    if len(text) > LONGEST:
        return ""
    for dollars in DOLLARS:
        text = text.replace(dollars, "$")
    bare = text.strip().translate(_plainer()).strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1].strip().translate(_plainer())}"
    sign = bare[:1] if bare[:1] in "+-" else ""
    bare = bare[len(sign) :].strip()
    for code in CODES:
        bare = bare.removeprefix(code).removesuffix(code).strip()
    second = bare[:1] if not sign and bare[:1] in "+-" else ""
    return sign + second + bare[len(second) :].strip()


def decimal_of(texts: Iterable[Any]) -> str | None:
    """The decimal mark of cells that all are amounts; None where one is none, or they disagree.

    Where "1,234" may be either, a comma stands between thousands and a point before decimals; but
    in per cent both stand before decimals, and with money behind the number both between thousands.
    """
    given = [str(text) for text in texts]
    bare = [_bare(text) for text in given]
    fits = [mark for mark, form in PATTERNS.items() if all(map(form.fullmatch, bare))]
    if len(fits) < 2:
        return fits[0] if fits else None
    present = {mark for mark in ".," if any(mark in text for text in bare)}
    if not present:
        return "."
    (mark,) = present  # with both, only one reading fits
    if any("%" in text for text in given):
        return mark
    behind = all(not text.strip()[-1:].isdigit() for text in given)
    return "." if mark == "," else "," if behind else "."


def read(cells: Column, decimal: str) -> Column:
    """Numbers as float64, NaN for what is no amount."""
    import pandas as pd

    values = [_number(_bare(text), decimal) if isinstance(text, str) else text for text in cells]
    numbers = pd.to_numeric(pd.Series(values, cells.index, dtype=object), errors="coerce")
    return numbers.astype(np.float64)


def _number(bare: str, decimal: str) -> float:
    found = PATTERNS[decimal].fullmatch(bare)
    if found is None:
        return np.nan
    sign, whole, decimals = found.groups()
    digits = whole.translate({ord(mark): "" for mark in ",.' "})
    return float(f"{sign}{digits}{decimals.replace(',', '.')}")


def said(cells: Any, numbers: Any) -> str:
    """How the longest of the cells is read."""
    place = max(range(len(cells)), key=lambda i: len(str(cells[i])))
    return f"cells such as {str(cells[place])!r} are read as {numbers[place]:.15g}"


def plain(y: Any, decimal: str | None) -> Any:
    """Targets in which amounts are numbers; others stay as they came."""
    values = np.asarray(y)
    if decimal is None or values.dtype.kind not in "OU":
        return y
    return read(_series(values), decimal).to_numpy()


def decimal_needed(y: Any) -> str | None:
    """The decimal mark of one column of targets that are amounts; None where they are numbers."""
    values = np.asarray(y)
    if values.dtype.kind not in "OU" or (values.ndim > 1 and values.shape[1:] != (1,)):
        return None
    texts = [value for value in values.ravel() if isinstance(value, str)]
    return decimal_of(texts) if texts and not all(map(_is_number, texts)) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _series(values: Any) -> Column:
    import pandas as pd

    return pd.Series(values.ravel(), dtype=object)
