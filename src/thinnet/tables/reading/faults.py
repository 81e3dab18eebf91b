"""Where a file of text is not a table: a slow second look, once reading it has failed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thinnet.checks import DataFileError
from thinnet.tables.reading import packing
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.sampling import LONGEST_CELL, is_blank, reader

END: Final = "\0"  # occurs in no line: texts with it are refused
LONGEST_LINE: Final = 2**22  # characters


def check_lines(path: Path, dialect: Dialect) -> None:
    """Does each line of `path` have as many cells as there are names, with its quotes closed?

    No cell and no line may be endless: memory is for a few millions of characters.

    Raises
    ------
    DataFileError
        With the first line that has not.
    """
    with (
        packing.refusing(path),
        packing.unpacked(path) as opened,
        packing.as_text(opened.content, dialect.encoding) as lines,
    ):
        _check_lines(path, lines, dialect)


def _check_lines(path: Path, lines: io.TextIOBase, dialect: Dialect) -> None:
    records = reader(_with_end(path, lines), dialect.delimiter)
    last = line = 1
    try:
        for record in records:
            if record == [END]:
                return
            if not is_blank(record) and len(record) != len(dialect.names):
                raise _of_other_length(path, line, record, dialect)
            last, line = line, records.line_num + 1
    except csv.Error:
        raise DataFileError(
            f"{path} line {line} must have cells of at most {LONGEST_CELL} characters, got a "
            "longer one; a quote may be open"
        ) from None
    raise DataFileError(f"{path} line {last} must close its quotes, got one that stays open")


def _with_end(path: Path, lines: io.TextIOBase) -> Iterator[str]:
    """The lines and a last one, which a quote that stays open swallows."""
    for n, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE), ""), 1):
        yield line
        if len(line) >= LONGEST_LINE:
            raise DataFileError(
                f"{path} line {n} must have less than {LONGEST_LINE} characters, got more"
            )
    yield END


def _of_other_length(path: Path, line: int, record: list[str], dialect: Dialect) -> DataFileError:
    return DataFileError(
        f"{path} line {line} must have {len(dialect.names)} cells between {dialect.delimiter!r} "
        f"like the first, got {len(record)}; quote cells that hold the delimiter"
    )
