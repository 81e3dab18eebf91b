"""Disks that are full, at each of the moments when a file that is written can meet that."""

import contextlib
import os
import resource


def refuse(*_, **__):
    raise OSError(28, "No space left on device")


def half(handle, content, write=os.write):
    """Room for the first half of what is written."""
    write(handle, bytes(content)[: len(bytes(content)) // 2])
    refuse()


FAILURES = {  # what to patch, and by what
    "open": ("os.open", refuse),
    "write": ("os.write", half),
    "flush": ("os.fsync", refuse),
    "rename": ("pathlib.Path.replace", refuse),
}


@contextlib.contextmanager
def files_of_at_most(length):
    """No file of this process can become longer: the system refuses it, as it does a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
