"""Places of results: never a file that is read, and another program's file only by force."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from thinnet import atomic
from thinnet.atomic import Where
from thinnet.checks import must, quoted
from thinnet.displays.saving import is_saved_figure
from thinnet.persistence import files
from thinnet.snapshots import kind_of

MOST_LETTERS: Final = 100  # letters of names in a sentence
HEAD: Final = 2**20  # bytes at the beginning of a file in which its names must stand
PAGE_HEAD: Final = 1000  # bytes in which the mark of our pages stands
PAGE_MARK: Final = b'<meta name="generator" content="thinnet">'
ONNX_HEAD: Final = re.compile(rb"\x08.\x12\x07thinnet", re.DOTALL)  # version, then producer


Others: TypeAlias = Mapping[str, Where | None]  # files by their names in sentences


class FileKind(NamedTuple):
    """A kind of file that thinnet writes: its name in sentences, and a test for such files."""

    name: str
    is_in: Callable[[Path], bool]


def check(option: str, out: Where, kind: FileKind, reads: Others, force: bool = False) -> None:
    """ValueError if `out` can't be written, is one of `reads`, or is a file of another kind.

    Parameters
    ----------
    option : str
        The option's name.
    out : path
    kind : FileKind
        The kind of file to write.  An empty file, or another file of this kind, is replaced.
    reads : mapping
        Files that the same command reads or writes, by their names in sentences; None for none.
    force : bool
        Replace any file, but never one of `reads`.
    """
    atomic.check_place(option, out)
    check_apart(option, out, reads)
    if not force:
        check_kind(option, out, kind)


def check_name(option: str, out: Where, suffixes: Collection[str]) -> None:
    """ValueError where the name's suffix is that of another format."""
    wanted = f"a name that ends in {', '.join(suffixes)}"
    must(Path(out).suffix in suffixes, option, wanted, os.fspath(out))


def check_apart(option: str, out: Where, reads: Others) -> None:
    """ValueError where `out` is a file of `reads`, by whatever name."""
    for name, path in reads.items():
        if path is not None and is_same(out, path):
            wanted = f"another file than {name} {os.fspath(path)!r}, which it would replace"
            must(False, option, wanted, os.fspath(out))


def check_kind(option: str, out: Where, kind: FileKind) -> None:
    """ValueError where there is a file, with something in it, that is not of this kind."""
    where = atomic.real(out)
    if where.is_file() and where.stat().st_size and not kind.is_in(where):
        must(False, option, f"a new file or {kind.name} (or use --force)", os.fspath(out))


def check_report(
    option: str,
    folder: Where,
    names: Iterable[str],
    reads: Others,
    force: bool = False,
) -> None:
    """`check` for all files that a report may have."""
    where = Path(folder)
    must(where.is_dir() or not where.exists(), option, "a folder", os.fspath(folder))
    for name in names:
        kind = OF_REPORTS.get(Path(name).suffix, PICTURE)
        check_apart(option, where / name, reads)
        if not force:
            check_kind(option, where / name, kind)


def is_same(one: Where, other: Where) -> bool:
    """Whether both are one file; links and second names are followed, "-" is the standard input."""
    if os.fspath(other) == "-":
        return _is_input(one)
    try:
        return Path(one).samefile(other)
    except OSError:  # one is not there
        return atomic.real(one) == atomic.real(other)


def _is_input(path: Where) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(sys.stdin.fileno()))  # noqa: PTH116
    except (OSError, ValueError):
        return False


def table_with(fits: Callable[[list[str]], bool], name: str) -> FileKind:
    """The kind of tables whose columns' names pass `fits`."""

    def is_in(path: Path) -> bool:
        try:
            return fits(_names(path))
        except Exception:  # whatever the error is, the file is not such a table
            return False

    return FileKind(name, is_in)


def predictions_with(target: str) -> FileKind:
    """The kind of tables with a column of predictions."""
    return table_with(lambda found: target in found, f"predictions of {quoted(target)}")


def predictions_of(names: list[str]) -> FileKind:
    """The kind of tables with just these columns, since predictions carry no mark of their own."""
    wanted = f"predictions with the same columns ({_listed(names)})"
    return table_with(lambda found: found == names, wanted)


def _listed(names: list[str]) -> str:
    """As many whole names as fit into a sentence, and the number of the others."""
    ends = itertools.accumulate(len(name) + 2 for name in names)
    shown = max(sum(end <= MOST_LETTERS for end in ends), 1)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown])}{more}"


def _names(path: Path) -> list[str]:
    """The names of a table's columns, as `PredictionWriter` writes them."""
    if path.name.lower().endswith((".parquet", ".pq")):
        from pyarrow import parquet

        return parquet.read_schema(path).names
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as raw:
        head = raw.read(HEAD).decode("utf-8", "replace")
    return next(csv.reader(io.StringIO(head, newline="")))


def is_page(path: Path) -> bool:
    """Whether a file is a page that a report has."""
    with path.open("rb") as file:
        return PAGE_MARK in file.read(PAGE_HEAD)


def _is_onnx(path: Path) -> bool:
    with path.open("rb") as file:
        return ONNX_HEAD.match(file.read(16)) is not None


MODEL: Final = FileKind("a model file of thinnet's", lambda path: kind_of(path) == files.KIND)
RECORDING: Final = FileKind(
    "a recording of thinnet's", lambda path: kind_of(path) == files.RECORDING
)
ONNX: Final = FileKind("an ONNX file of thinnet's", _is_onnx)
PICTURE: Final = FileKind("a picture of thinnet's", is_saved_figure)
UNCERTAIN: Final = table_with(
    lambda found: found[:2] == ["row", "prediction"] and found[-1] == "why",
    "a table of uncertain rows",
)
PAGE: Final = FileKind("a report of thinnet's", is_page)
OF_REPORTS: Final = {".csv": UNCERTAIN, ".html": PAGE}
