"""The first lines of a file, unpacked and decoded, if they look like a table of text."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from thinnet.checks import DataFileError
from thinnet.tables.reading import packing

SAMPLE_BYTES: Final = 2**19
LONGEST_CELL: Final = csv.field_size_limit()  # characters; 131,072 by default
MARKS: Final = {  # UTF-32 first: its mark begins with that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
OTHER_FORMAT: Final = re.compile(r'\s*(<!doctype|<html|<\?xml|\{\s*"|\[\s*[\[{])', re.IGNORECASE)


class Sample(NamedTuple):
    """The beginning of a file; `whole` if that is all of it."""

    text: str
    whole: bool
    encoding: str


def sample(path: Path) -> Sample:
    """The beginning of a packed or plain file of text.

    Raises
    ------
    DataFileError
        If it can't be read, or is no table.
    """
    with packing.refusing(path):
        with packing.unpacked(path) as opened:
            first = opened.content.read(SAMPLE_BYTES)
            whole = not opened.content.read(1)
        encoding = next((name for mark, name in MARKS.items() if first.startswith(mark)), "utf-8")
        decoder = codecs.getincrementaldecoder(encoding)(packing.errors_of(encoding))
        text = decoder.decode(first, final=whole)
    _check_is_table(path, text)
    return Sample(text, whole, encoding)


def _check_is_table(path: Path, text: str) -> None:
    strange = CONTROLS.search(text)
    if strange:
        line = 1 + text.count("\n", 0, strange.start())
        raise DataFileError(
            f"{path} must be a CSV or Parquet file, got the control character "
            f"{ord(strange[0]):#04x} in line {line}; if it is text, save it as UTF-8"
        )
    other = OTHER_FORMAT.match(text)
    if other:
        raise DataFileError(
            f"{path} must be a CSV or Parquet file, got one that begins with {other[1]!r}"
        )
    if not text.strip():
        raise DataFileError(f"{path} must hold a table, got blank lines only")


def reader(lines: Iterable[str], delimiter: str) -> Any:
    """A `csv.reader` that splits lines as pandas does."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


def is_blank(record: list[str]) -> bool:
    return len(record) < 2 and not "".join(record).strip()
