"""Calls of the system that fail, for files in one folder."""

import errno
import os
from contextlib import contextmanager
from pathlib import Path

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT, errno.EROFS)
SHORT = "short"  # a write of fewer bytes than were given, which is no error
CALLS = ("open", "write", "fsync", "replace", "rename", "fchmod", "mkdir")


class Disk:
    """Counts the calls that concern a folder, and lets one of them fail."""

    def __init__(self, folder, number=None, error=None):
        self.folder, self.number, self.error = Path(folder), number, error
        self.count, self.failed, self._real = 0, None, {name: getattr(os, name) for name in CALLS}

    def concerns(self, what):
        if isinstance(what, int):
            try:
                what = Path(f"/proc/self/fd/{what}").readlink()
            except OSError:
                return False
        return self.folder in Path(what).parents or Path(what) == self.folder

    def called(self, name):
        def call(*arguments, **more):
            real = self._real[name]
            if not self.concerns(arguments[0]):
                return real(*arguments, **more)
            self.count += 1
            if self.count - 1 != self.number:
                return real(*arguments, **more)
            self.failed = name
            return self.fail(name, real, arguments, more)

        return call

    def fail(self, name, real, arguments, more):
        if self.error == SHORT:
            if name != "write":
                return real(*arguments, **more)
            return real(arguments[0], bytes(arguments[1])[: max(1, len(arguments[1]) // 2)])
        if name == "write":  # some of it is there already when the disk is full
            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        raise OSError(self.error, os.strerror(self.error))


@contextmanager
def faulty(folder, number=None, error=None):
    """While open, the call of that number that concerns `folder` fails."""
    disk = Disk(folder, number, error)
    for name in CALLS:
        setattr(os, name, disk.called(name))
    try:
        yield disk
    finally:
        for name, real in disk._real.items():
            setattr(os, name, real)
