"""A stream of text that is watched on its way to pandas: its delimiters, and endless cells."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thinnet.checks import DataFileError
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.sampling import LONGEST_CELL

PIECE: Final = LONGEST_CELL // 4  # characters that are read at once
# A cell that is too long fills three pieces at least, and so may a shorter one.
SUSPICIOUS: Final = 3 * PIECE


class Watched(io.TextIOBase):
    """Text on its way to pandas, which doesn't notice lines with too few cells.

    Their number shows in the sum: each line has one delimiter less than cells.  pandas would also
    take a cell or a line as long as memory lasts, where a quote is left open; so `check` is
    called where there may be such a one.

    Parameters
    ----------
    path : Path
        To name in errors.
    text : text stream
    dialect : Dialect
    check : callable
        Looks at the whole file more slowly, and raises if a cell or a line is too long.

    Attributes
    ----------
    n_delimiters : int
        So far, outside quotes.
    """

    def __init__(
        self, path: Path, text: io.TextIOBase, dialect: Dialect, check: Callable[[], object]
    ) -> None:
        self._path, self._text, self._dialect, self._check = path, text, dialect, check
        self._n_lines, self._quoted, self._checked = 0, False, False
        self._signs = self._cells = 0  # at least as many since the start of a cell, and of a line
        self.n_delimiters = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        text = self._text.read(PIECE if size is None or size < 0 else min(size, PIECE))
        if "\0" in text:
            self._refuse(text.index("\0"), text)
        self._n_lines += text.count("\n")
        parts = text.split('"')
        plain = '"'.join(parts[self._quoted :: 2])
        self._quoted ^= len(parts) % 2 == 0
        n_delimiters = plain.count(self._dialect.delimiter)
        self.n_delimiters += n_delimiters
        if not self._checked:
            self._watch(len(text), n_delimiters, "\n" in plain or "\r" in plain)
        return text

    def _watch(self, n_signs: int, n_delimiters: int, line_ends: bool) -> None:
        self._signs = 0 if line_ends or n_delimiters else self._signs + n_signs
        self._cells = 0 if line_ends else self._cells + n_delimiters
        if self._signs >= SUSPICIOUS or self._cells > len(self._dialect.names):
            self._check()
            self._checked = True

    def _refuse(self, place: int, text: str) -> None:
        line = 1 + self._n_lines + text.count("\n", 0, place)
        raise DataFileError(
            f"{self._path} line {line} must not hold NUL bytes, got one; if it is text, save it "
            "as UTF-8"
        )
