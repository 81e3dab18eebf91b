"""Tables that come through a pipe: put into a temporary file, since they are read twice."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from thinnet.checks import DataFileError

STANDARD_INPUT: Final = "-"
INPUT: Final = "standard input"
URL: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]{1,20}:/")


def on_disk(source: str | os.PathLike[str]) -> Path:
    """The path of a file that can be read more than once; of a pipe the path of what came of it.

    Raises
    ------
    DataFileError
        If it is a URL, or somebody would have to type the table.
    """
    name = os.fspath(source)
    path = source if isinstance(source, Path) else Path(name)
    if path.exists() and not _is_stream(path):
        return path
    if URL.match(name):
        raise DataFileError(f"{name} must be a file here, got a URL; download it first")
    if name == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise DataFileError("- must be a table that is piped in, got a terminal")
        return _spooled(getattr(sys.stdin, "buffer", sys.stdin), INPUT)
    if not path.exists():
        return path
    with path.open("rb") as stream:
        return _spooled(stream, name)


def called(source: str | os.PathLike[str]) -> str:
    """A table's name for titles: a file without its folder, or the standard input."""
    is_input = os.fspath(source) == STANDARD_INPUT and not Path(STANDARD_INPUT).exists()
    return INPUT if is_input else Path(str(source)).name


def _is_stream(path: Path) -> bool:
    mode = path.stat().st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _spooled(stream: Any, name: str) -> Path:
    handle, where = tempfile.mkstemp(prefix="thinnet-")
    spool = Spool(where).of(name)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(stream, file)
    return spool


def _remove(path: str) -> None:
    with suppress(OSError):  # Windows removes no file that somebody still reads
        Path(path).unlink()


class Spool(type(Path())):  # type: ignore[misc]
    """The path of a temporary file, which has the name of its source and is deleted with it."""

    def of(self, name: str) -> Spool:
        self._source_name = name
        self._end = weakref.finalize(self, _remove, self.__fspath__())
        return self

    def __str__(self) -> str:
        return getattr(self, "_source_name", super().__str__())

    def __fspath__(self) -> str:
        return super().__str__()
