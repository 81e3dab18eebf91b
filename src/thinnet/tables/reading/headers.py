"""The header of a table: whether there is one, and its names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from thinnet.checks import DataFileError, quoted
from thinnet.tables.reading.cells import kind
from thinnet.tables.reading.dialect import Dialect

Row = Sequence[str]
AGREE: Final = 0.9  # the fraction of a column's cells that makes it one of numbers or of dates
YEARS: Final = range(1900, 2101)


def has_header(rows: Sequence[Row], like: Dialect | None) -> bool:
    """Whether the first of `rows` holds names.  The first of these rules that applies decides.

    1. Half of its cells are names of `like`: yes.
    2. Its numbers, three or more, count up by one from 0 or from a year: yes.
    3. A cell is of another kind than the numbers, or dates, below it: yes.
    4. A cell is a number above numbers, or a date above dates: no.
    5. Half of its cells stand below it again, in the same column: no.
    6. Yes, unless `like` has other names.
    """
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    known = sum(cell in like.names for cell in first) if like and like.header else 0
    if 2 * known >= len(first) or _counts_up(first):
        return True
    columns = list(zip(*below, strict=True)) or [()] * len(first)
    above = [(kind(cell), _kind_of(column)) for cell, column in zip(first, columns, strict=True)]
    agrees = [one == other for one, other in above if one and other in ("number", "date")]
    if agrees:
        return not all(agrees)
    again = sum(cell != "" and cell in column for cell, column in zip(first, columns, strict=True))
    return 2 * again < len(first) and (like is None or known > 0)


def _counts_up(first: Row) -> bool:
    numbers = [cell for cell in first if kind(cell) == "number"]
    if len(numbers) < 3 or not all(cell.isdecimal() and len(cell) < 10 for cell in numbers):
        return False
    start = int(numbers[0])
    counted = [str(start + i) for i in range(len(numbers))]
    return numbers == counted and (start == 0 or start in YEARS)


def _kind_of(column: Iterable[str]) -> str | None:
    counts = Counter(found for found in map(kind, column) if found)
    most, count = counts.most_common(1)[0] if counts else (None, 0)
    return most if count >= AGREE * counts.total() else "text"


def names_of(first: Row, header: bool) -> list[str]:
    """The names in a first row; ``column 3`` where there is none; else ``0``, ``1`` and so on."""
    if not header:
        return [str(i) for i in range(len(first))]
    return [cell or f"column {i}" for i, cell in enumerate(first, 1)]


def checked_names(names: Iterable[object], where: str) -> tuple[str, ...]:
    """`names` as texts without blanks around them, each of which stands once.

    Raises
    ------
    DataFileError
        If there are none, or one stands twice.
    """
    plain = tuple(str(name).strip() for name in names)
    if not plain:
        raise DataFileError(f"{where} must have columns, got none")
    name, count = Counter(plain).most_common(1)[0]
    if count > 1:
        raise DataFileError(
            f"column {quoted(name)} must stand once in {where}, got it {count} times; rename one"
        )
    return plain
