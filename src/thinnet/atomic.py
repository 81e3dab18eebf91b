"""Files that are complete or not there: written beside their place, flushed, and renamed into it.

Every file of thinnet is written like this.  While it is written it has a name of its own, so that
two writers of one place never meet; the later one wins.  It is locked as long as its writer lives:
files that killed writers left behind are removed when a later writer of the same place is done.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

from thinnet.checks import must

try:
    import fcntl
except ImportError:  # where open files can't be removed anyway
    fcntl = None  # type: ignore[assignment]

Where: TypeAlias = str | os.PathLike[str]

LEFT_SECONDS: Final = 60
LONGEST: Final = 200  # bytes of a name that stand in the name of what is being written
SAFELY: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
FRESH: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | SAFELY


def check_place(name: str, path: Where) -> None:
    """ValueError where no file can be written, or what would be replaced is not a file."""
    must(isinstance(path, str | os.PathLike), name, "a path", path)
    where, text = real(path), os.fspath(path)
    writable = where.parent.is_dir() and os.access(where.parent, os.W_OK)
    must(writable, name, "in a folder that can be written to", text)
    must(not where.is_dir(), name, "a file, not a folder", text)
    must(not where.exists() or where.is_file(), name, "a file, not a device or a pipe", text)


def real(path: Where) -> Path:
    """The file behind any links: the links stay, and the file that they point to is replaced."""
    return Path(os.path.realpath(path))


def write_atomically(path: Where, content: bytes) -> None:
    """Put `content` at `path`, as `replacing` does."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Where) -> Iterator[io.BufferedWriter]:
    """A file to write to, which takes its place at `path` when the context is left.

    It has the mode of the file that it replaces.  If an exception leaves the context, or writing
    fails, the new file is removed and the old one at `path` is untouched.

    Raises
    ------
    OSError
        If writing fails; the error names `path`.
    ValueError
        If what would be replaced is not a file.
    """
    check_place("file", path)
    where = real(path)
    with _naming(path):
        held, beside = _created(where)
    raw: Any = _Raw(held.fileno(), path)
    file = io.BufferedWriter(raw)
    try:
        yield file
        file.close()
        with _naming(path):
            _keep(held, beside, where)
    except BaseException:
        for undo in (file.close, held.close, beside.unlink):
            with suppress(OSError):
                undo()
        raise
    _sweep(where)


class _Raw(io.RawIOBase):
    """An open file whose errors name the place that it is written for."""

    def __init__(self, handle: int, path: Where) -> None:
        self._handle, self._path = handle, path

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        with _naming(self._path):
            return os.write(self._handle, content)


@contextmanager
def _naming(path: Where) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _created(where: Path) -> tuple[io.FileIO, Path]:
    """A new, locked file beside `where`, and its path."""
    mode = _mode(where)
    while True:
        beside = where.with_name(f".{_stem(where)}.{secrets.token_hex(8)}.part")
        held = io.FileIO(os.open(beside, FRESH, 0o666 if mode is None else mode & 0o777), "rb")
        _lock(held.fileno(), wait=True)
        if fcntl is None or os.fstat(held.fileno()).st_nlink:
            return held, beside
        held.close()  # another writer removed it before it was locked


def _stem(where: Path) -> str:
    name = os.fsencode(where.name)
    return where.name if len(name) <= LONGEST else hashlib.sha256(name).hexdigest()


def _mode(where: Path) -> int | None:
    return where.stat().st_mode if where.exists() else None


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock a file and return whether that succeeded; some file systems have no locks."""
    if fcntl is None:
        return True
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False


def _keep(held: io.FileIO, beside: Path, where: Path) -> None:
    """Move the file into its place; the lock is held until it is there."""
    _flush(held.fileno())
    if where.exists() and hasattr(os, "fchown"):
        _take_owner_and_mode(held.fileno(), where.stat())
    if fcntl is None:  # open files can't be renamed
        held.close()
    beside.replace(where)
    held.close()
    flush_folder(where.parent)


def _flush(handle: int) -> None:
    """Have a file's content written to the disk; macOS has a call of its own that waits for it."""
    if fcntl is not None and hasattr(fcntl, "F_FULLFSYNC"):
        with suppress(OSError):  # not every file system knows it
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def _take_owner_and_mode(handle: int, old: os.stat_result) -> None:
    """Give a new file the old one's owner and mode.

    If the group can't be kept, the new group gets only the permissions that everybody has.
    """
    mode, new = stat.S_IMODE(old.st_mode) & 0o777, os.fstat(handle)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(handle, old.st_uid if os.geteuid() == 0 else -1, old.st_gid)
        except OSError:
            mode &= 0o707 | (mode & 0o007) << 3
    os.fchmod(handle, mode)


def _sweep(where: Path) -> None:
    """Remove files that killed writers of the same place left behind."""
    ours = re.compile(rf"\.{re.escape(_stem(where))}\.[0-9a-f]{{16}}\.part")
    with suppress(OSError), os.scandir(where.parent) as entries:
        left = [Path(entry.path) for entry in entries if ours.fullmatch(entry.name)]
        for path in left:
            with suppress(OSError):
                _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    """Remove a plain file of this user that nobody is writing; links are not followed."""
    if fcntl is None:  # an open file stays; one that is just being renamed is younger than this
        if time.time() - path.lstat().st_mtime > LEFT_SECONDS:
            path.unlink()
        return
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | SAFELY)
    try:
        found = os.fstat(handle)
        plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if plain and found.st_uid == os.geteuid() and _lock(handle, wait=False):
            path.unlink()
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """Make a rename durable.  Systems that can't open folders do without."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def user_folder() -> Path | None:
    """Where the system keeps what this user's programs can make anew; None without a home."""
    import platformdirs

    with suppress(RuntimeError):  # older versions return a path that begins with ~
        path = Path(platformdirs.user_cache_dir("thinnet"))
        return path if path.is_absolute() else None
    return None
