"""A folder for machine code that nobody else can write to, and its files, each with a checksum.

Whoever can put a file there runs code as this user.  So every folder on the way is looked at as ssh
does, and used by its descriptor: what is exchanged behind that is never met.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

HAS_OWNERS: Final = hasattr(os, "geteuid") and os.open in os.supports_dir_fd
NOT_A_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
A_FOLDER: Final = NOT_A_LINK | getattr(os, "O_DIRECTORY", 0)
# Folders on the way need not be readable, as /home often is not.
ON_THE_WAY: Final = A_FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
UNFINISHED: Final = re.compile(r".*\.[0-9a-f]{16}\.part")
DIGEST: Final = hashlib.sha256().digest_size


class UnsafeError(OSError):
    """A folder that others could write to."""


class Folder:
    """A private folder, mode 700, made where it is not there.

    Parameters
    ----------
    path : Path
    ours : Path, optional
        A folder above it that is thinnet's alone, from which the leave of others to write is taken.

    Raises
    ------
    UnsafeError
        If somebody else could exchange it, or write into it.
    OSError
        If it can't be made or written to.
    """

    def __init__(self, path: Path, ours: Path | None = None) -> None:
        self.path = path
        self._handle = _opened(path, ours) if HAS_OWNERS else None
        if self._handle is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(0o700, exist_ok=True)
        with self.locked():
            self.write("writable", b"")

    def _at(self, name: str) -> str:
        return name if self._handle is not None else os.fspath(self.path / name)

    def has(self, name: str) -> bool:
        with suppress(OSError):
            os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)
            return True
        return False

    def read(self, name: str) -> bytes | None:
        """What was written under a name; None where it is not there, or was altered since."""
        try:
            handle = os.open(self._at(name), os.O_RDONLY | NOT_A_LINK, dir_fd=self._handle)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            content = file.read() if _is_private(os.fstat(handle)) else b""
        checksum, content = content[:DIGEST], content[DIGEST:]
        return content if checksum == _checksum(name, content) else None

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, complete or not at all; to be called inside of `locked`."""
        beside = f"{name}.{secrets.token_hex(8)}.part"
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOT_A_LINK
        handle = os.open(self._at(beside), how, 0o600, dir_fd=self._handle)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_checksum(name, content) + content)
            self._rename(beside, name)
        except BaseException:
            self.remove(beside)
            raise

    def _rename(self, beside: str, name: str) -> None:
        ours = self._handle
        os.replace(self._at(beside), self._at(name), src_dir_fd=ours, dst_dir_fd=ours)

    def remove(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(self._at(name), dir_fd=self._handle)

    def _sweep(self) -> None:
        """Only who holds the lock is writing."""
        with os.scandir(self.path if self._handle is None else self._handle) as entries:
            left = [entry.name for entry in entries if UNFINISHED.fullmatch(entry.name)]
        for name in left:
            self.remove(name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Where there are locks, one process at a time; what killed ones have left is removed."""
        with self._lockable() as handle:
            with suppress(OSError):
                _lock(handle)
                self._sweep()
            try:
                yield
            finally:
                with suppress(OSError):
                    _unlock(handle)

    @contextmanager
    def _lockable(self) -> Iterator[int]:
        """What a lock is put on: the folder, or a file in it where folders can't be opened."""
        if self._handle is not None:
            yield self._handle
            return
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | NOT_A_LINK, 0o600)
        with _closed(handle):
            yield handle


def _lock(handle: int) -> None:
    """Wait for the lock of an open file; OSError where there are no locks."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX)
    elif msvcrt is not None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # which gives up after ten seconds
    else:
        raise OSError("this system has no locks")


def _unlock(handle: int) -> None:
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_UN)
    elif msvcrt is not None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)


def _checksum(name: str, content: bytes) -> bytes:
    """Of a file under its name, so that none is taken for another."""
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def _is_private(found: os.stat_result) -> bool:
    if not HAS_OWNERS:
        return True
    ours = found.st_uid == os.geteuid() and not found.st_mode & OTHERS_WRITE
    return ours and stat.S_ISREG(found.st_mode)


def _opened(path: Path, ours: Path | None) -> int:
    """The descriptor of a private folder, reached from the root by safe ones."""
    real = Path(os.path.realpath(path))
    own = None if ours is None else Path(os.path.realpath(ours))
    handle, there = os.open(real.anchor, ON_THE_WAY), Path(real.anchor)
    for part in real.parts[1:]:
        with _closed(handle):
            _check_safe(handle, there)
            there = there / part
            handle = _inner(handle, part, ON_THE_WAY if there not in (own, real) else A_FOLDER)
        if there == own:
            _tighten(handle, ~OTHERS_WRITE)
    try:
        _check_ours(handle, real)
        _tighten(handle, 0o700)
    except BaseException:
        os.close(handle)
        raise
    return handle


@contextmanager
def _closed(handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(handle)


def _inner(handle: int, name: str, how: int) -> int:
    """The folder `name` in an open one, made where it is not there; never through a link."""
    with suppress(FileNotFoundError):
        return os.open(name, how, dir_fd=handle)
    with suppress(FileExistsError):  # another process was faster
        os.mkdir(name, 0o700, dir_fd=handle)
    return os.open(name, how, dir_fd=handle)


def _tighten(handle: int, mask: int) -> None:
    found = os.fstat(handle)
    mode = stat.S_IMODE(found.st_mode)
    wanted = mask if mask >= 0 else mode & mask
    if found.st_uid == os.geteuid() and mode != wanted:
        os.fchmod(handle, wanted)


def _check_safe(handle: int, path: Path) -> None:
    """UnsafeError where others than this user and root could exchange what is in a folder."""
    found = os.fstat(handle)
    if found.st_uid not in (0, os.geteuid()):
        raise UnsafeError(f"{path} belongs to another user")
    writers = found.st_mode & OTHERS_WRITE
    if writers == stat.S_IWGRP and _is_own_group(found.st_gid):
        return
    if writers and not found.st_mode & stat.S_ISVTX:
        raise UnsafeError(f"others may write to {path}")


def _check_ours(handle: int, path: Path) -> None:
    if os.fstat(handle).st_uid != os.geteuid():
        raise UnsafeError(f"{path} belongs to another user")


def _is_own_group(gid: int) -> bool:
    """A group of one, as systems make for each user, named like the user."""
    import grp
    import pwd

    with suppress(KeyError):
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
        alone = set(group.gr_mem) <= {user.pw_name}
        return alone and group.gr_name == user.pw_name and gid == user.pw_gid
    return False
