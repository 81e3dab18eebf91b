"""Files as they are on the disk: whether they are packed shows in their first bytes."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from thinnet.checks import DataFileError, one_line

MAGIC_BYTES: Final = 16
UNPACKERS: Final[dict[re.Pattern[bytes], Callable[[Any], io.BufferedIOBase]]] = {
    re.compile(rb"\x1f\x8b"): lambda raw: gzip.GzipFile(fileobj=raw),
    re.compile(rb"BZh[1-9]1AY&SY"): bz2.BZ2File,
    re.compile(rb"\xfd7zXZ\0"): lzma.LZMAFile,
    re.compile(rb"PK\x03\x04"): lambda raw: _only_member(raw),
}
PARQUET: Final = re.compile(rb"PAR1")
REFUSED: Final = {
    re.compile(rb"\xd0\xcf\x11\xe0"): "an old Excel workbook; save it as CSV",
    re.compile(rb"\x28\xb5\x2f\xfd"): "a file packed by zstd; unpack it, or pack it by gzip",
    re.compile(rb"\x89HDF|ARROW1|SQLite|%PDF|\x89PNG"): "another format; save it as CSV or Parquet",
}
SPOILT: Final = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


class Opened(NamedTuple):
    content: io.BufferedIOBase  # unpacked
    raw: io.BufferedIOBase  # as it is on the disk: its position is the progress


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """A context in which errors of reading `path` are a DataFileError of one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataFileError(f"{path} must be an existing file, got none") from None
    except UnicodeError as error:
        raise DataFileError(
            f"{path} must be text in {getattr(error, 'encoding', 'UTF-8')}, as its first bytes "
            f"say, got {first_line(error)}; save it as UTF-8"
        ) from error
    except (OSError, *SPOILT) as error:
        raise DataFileError(
            f"{path} must be a readable file, got {type(error).__name__}: {first_line(error)}; "
            "it may be cut short or damaged"
        ) from error


def first_line(error: BaseException) -> str:
    """The first line of a library's message, cut: its words may come from the file."""
    return one_line((str(error).splitlines() or ["no more"])[0], 200)


def magic(path: Path) -> bytes:
    """The first bytes of a file that isn't empty, and isn't of a kind that we know we can't read.

    Raises
    ------
    DataFileError
        If there is no such file.
    """
    with refusing(path):
        if path.is_dir():
            raise DataFileError(f"{path} must be a file, got a folder")
        with path.open("rb") as raw:
            first = raw.read(MAGIC_BYTES)
    if not first:
        raise DataFileError(f"{path} must hold a table, got an empty file")
    for pattern, what in REFUSED.items():
        if pattern.match(first):
            raise DataFileError(f"{path} must be a CSV or Parquet file, got {what}")
    return first


@contextmanager
def unpacked(path: Path) -> Iterator[Opened]:
    """The unpacked content of a file, whatever its name."""
    with path.open("rb") as raw:
        first = raw.read(MAGIC_BYTES)
        raw.seek(0)
        for pattern, unpacker in UNPACKERS.items():
            if pattern.match(first):
                with unpacker(raw) as content:
                    yield Opened(content, raw)
                return
        yield Opened(raw, raw)


def _only_member(raw: io.BufferedReader) -> Any:
    archive = zipfile.ZipFile(raw)
    members = [m for m in archive.infolist() if not m.is_dir() and not _is_clutter(m.filename)]
    name = os.fspath(raw.name)
    if any(m.filename == "[Content_Types].xml" for m in members):
        raise DataFileError(f"{name} must be a CSV or Parquet file, got a workbook; save it as CSV")
    if len(members) != 1:
        raise DataFileError(f"{name} must hold one file, got {len(members)}; unpack it")
    if members[0].flag_bits & 1:
        raise DataFileError(f"{name} must not be locked by a password, got one that is; unpack it")
    return archive.open(members[0])


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or Path(name).name == ".DS_Store"


def as_text(content: Any, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(content, encoding, errors=errors_of(encoding), newline="")


def errors_of(encoding: str) -> str:
    return WINDOWS if encoding.startswith("utf-8") else "strict"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8 as Windows-1252; its five unused bytes as in Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    strange = error.object[error.start : error.end]
    return "".join(WINDOWS_LETTERS[byte] for byte in strange), error.end


WINDOWS: Final = "thinnet-windows-1252"
WINDOWS_LETTERS: Final = {
    byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(128, 256)
}
codecs.register_error(WINDOWS, _as_windows)
