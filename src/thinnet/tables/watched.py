"""A stream of text that counts its delimiters while it is read."""

from __future__ import annotations

import io
from pathlib import Path

from thinnet.checks import DataFileError


class Watched(io.TextIOBase):
    """Text on its way to pandas, which doesn't tell of lines with too few cells.

    Their number shows in the sum: each line has one delimiter less than cells.

    Attributes
    ----------
    n_delimiters : int
        So far, outside quotes.
    """

    def __init__(self, path: Path, text: io.TextIOBase, delimiter: str) -> None:
        self._path, self._text, self._delimiter = path, text, delimiter
        self._n_lines, self._quoted = 0, False
        self.n_delimiters = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        text = self._text.read(size)
        if "\0" in text:
            self._refuse(text.index("\0"), text)
        self._n_lines += text.count("\n")
        parts = text.split('"')
        self.n_delimiters += sum(part.count(self._delimiter) for part in parts[self._quoted :: 2])
        self._quoted ^= len(parts) % 2 == 0
        return text

    def _refuse(self, place: int, text: str) -> None:
        line = 1 + self._n_lines + text.count("\n", 0, place)
        raise DataFileError(
            f"{self._path} line {line} must not hold NUL bytes, got one; if it is text, save it "
            "as UTF-8"
        )
