"""The dialect of a file of text, found in its first lines."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from thinnet.checks import DataFileError
from thinnet.tables.reading.cells import COMMA_NUMBER, MISSING, NUMBER, POINT_NUMBER, THOUSANDS
from thinnet.tables.reading.dialect import DELIMITERS, Dialect
from thinnet.tables.reading.faults import check_lines
from thinnet.tables.reading.headers import checked_names, has_header, names_of
from thinnet.tables.reading.sampling import (
    LONGEST_CELL,
    SAMPLE_BYTES,
    Sample,
    is_blank,
    reader,
    sample,
)

COMPARED_ROWS: Final = 200
MOSTLY: Final = 0.7  # the fraction of equally long rows above which a shorter first one is a title
REGULAR: Final = (
    0.5  # the fraction of rows that a delimiter must split into as many cells as the first
)

Records = list[list[str]]


def dialect_of(path: Path, like: Dialect | None = None, header: bool | None = None) -> Dialect:
    """The dialect of the file of text at `path`.

    Parameters
    ----------
    path : Path
    like : Dialect, optional
        Settles what the file leaves open.
    header : bool, optional
        Whether its first row holds names; found out if None.

    Raises
    ------
    DataFileError
        If it can't be read, is no table, or has no rows.
    """
    seen = sample(path)
    delimiter = _delimiter(seen, like)
    rows = _some_rows(path, seen, delimiter)
    _check_top(path, seen, delimiter)
    named = has_header(rows, like) if header is None else header
    if named and len(rows) < 2:
        raise DataFileError(f"{path} must hold rows below its names, got none")
    names = checked_names(names_of(rows[0], named), str(path))
    found = Dialect(seen.encoding, delimiter, _decimal(rows, delimiter, like), named, names)
    if any(len(row) != len(names) for row in rows):
        check_lines(path, found)
    return found


def _some_rows(path: Path, seen: Sample, delimiter: str) -> Records:
    """The first rows, if the lines are short enough for some to be seen."""
    rows = _rows(seen, delimiter)
    if not rows:
        raise DataFileError(
            f"{path} line 1 must have cells of at most {LONGEST_CELL} characters, got a longer "
            "one; a quote may be open"
        )
    if len(rows) < 2 and not seen.whole:
        raise DataFileError(f"{path} must have lines below {SAMPLE_BYTES} bytes, got a longer one")
    return rows


def _check_top(path: Path, seen: Sample, chosen: str) -> None:
    """DataFileError where comments or titles stand above a table, or a name is lacking."""
    first = _rows(seen, chosen, 1)[0]
    for delimiter in (chosen,) if len(first) > 1 else DELIMITERS:
        first, *others = _rows(seen, delimiter, COMPARED_ROWS)
        width, count = Counter(map(len, others)).most_common(1)[0] if others else (1, 0)
        if 1 < width != len(first) and count >= max(MOSTLY * len(others), 3):
            raise DataFileError(
                f"{path} line {_first_line(seen.text)} must have {width} cells between "
                f"{delimiter!r} like most lines below it, got {len(first)} "
                f"({' '.join(first)[:40]!r}); delete lines above the table, or name each column"
            )


def _first_line(text: str) -> int:
    """The number of the first line that isn't blank."""
    return 1 + text[: len(text) - len(text.lstrip())].count("\n")


def _rows(seen: Sample, delimiter: str, most: int | None = None) -> Records:
    """The first rows, without blanks around their cells and without a last one cut short."""
    rows = list(islice(_records(seen.text, delimiter), most))
    return rows if seen.whole or len(rows) in (1, most) else rows[:-1]


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        for record in reader(io.StringIO(text, newline=""), delimiter):
            if not is_blank(record):
                yield [cell.strip() for cell in record]
    except csv.Error:  # a quote that is not closed: reading the whole file names its line
        return


def _delimiter(seen: Sample, like: Dialect | None) -> str:
    """The mark that makes of the first row more than one cell, and of most others as many.

    Of several, the one that does so in most rows; then the one that leaves most numbers; then
    that of `like`; then the rarest in plain text.
    """

    def merit(delimiter: str) -> tuple[float, ...]:
        rows = _rows(seen, delimiter, COMPARED_ROWS) or [[]]
        regular = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        several = len(rows[0]) > 1 and regular >= REGULAR
        liked = like is not None and delimiter == like.delimiter
        return several, regular, _fraction_of_numbers(rows), liked

    return max(DELIMITERS, key=merit)


def _fraction_of_numbers(rows: Records) -> float:
    present = [cell for row in rows for cell in row if cell not in MISSING]
    return sum(NUMBER.fullmatch(cell) is not None for cell in present) / max(len(present), 1)


def _decimal(rows: Records, delimiter: str, like: Dialect | None) -> str:
    """A comma if more cells are numbers with a comma than with a point.

    "1,234" is such a number beside semicolons alone; elsewhere it may be 1234.
    """
    present = [cell for row in rows for cell in row]
    points = sum(POINT_NUMBER.fullmatch(cell) is not None for cell in present)
    commas = sum(
        COMMA_NUMBER.fullmatch(cell) is not None
        and (delimiter == ";" or THOUSANDS.fullmatch(cell) is None)
        for cell in present
    )
    if points == commas == 0:
        return like.decimal if like else "."
    return "," if commas > points else "."
