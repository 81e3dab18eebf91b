"""Little address space (`ulimit -v`): the command ends in a sentence all the same.

When no addresses are left, libraries written in C end the process with messages of their own, which
the process can't prevent.  So the work is done by a child, and its parent prints the sentence.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

try:
    import resource
except ImportError:  # where there are no such limits
    resource = None  # type: ignore[assignment]

FAILED = 1
MOST = 2**16  # bytes of a library's last message that are kept
UNKNOWN = "ArrowException"
LAST_WORDS = (b"bad_alloc", b"OpenBLAS error", b"out of memory", b"MemoryError")


def limit() -> int | None:
    """The largest number of bytes of addresses of this process; None for no limit."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else int(soft)


def shortage_text() -> str:
    """The limit in words, for the end of a sentence; "" if there is none."""
    bytes_ = limit()
    return "" if bytes_ is None else f"; the limit is {bytes_ / 2**30:.1f} GiB (ulimit -v)"


def is_short(error: BaseException) -> bool:
    """Whether an error, of whatever library, means that no memory is left."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        unnamed = error.errno is None and limit() is not None  # a library that can't be loaded
        return unnamed or error.errno == errno.ENOMEM
    # Python may say "error return without exception set", Arrow "unknown error".
    unnamed = isinstance(error, ImportError | SystemError) or type(error).__name__ == UNKNOWN
    return (unnamed and limit() is not None) or (
        isinstance(error, RuntimeError) and "start new thread" in str(error)
    )


def leave_if_short(error: BaseException) -> None:
    if is_short(error):
        _leave(b"there is not enough memory to start")


def _leave(words: bytes) -> NoReturn:
    os.write(2, b"thinnet: " + words + shortage_text().encode() + b"\n")
    os._exit(FAILED)


def watch(run: Callable[[], None]) -> NoReturn:
    """Let a child do the work and exit as it does; print a sentence if memory ended it."""
    heard, words = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        _do(run, words)
    os.close(words)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets it too
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    last_words = _listen(heard)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    broken_off = code in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGTRAP)
    if broken_off or (code and any(sign in last_words for sign in LAST_WORDS)):
        _leave(b"there is not enough memory for this")
    os.write(2, last_words)
    os._exit(code if code >= 0 else 128 - code)


def _do(run: Callable[[], None], words: int) -> NoReturn:
    """Do the work; Python's errors are printed as ever, those of C libraries go to the parent."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    os.dup2(words, 2)
    os.close(words)
    run()
    sys.exit()


def _listen(heard: int) -> bytes:
    found = b""
    while piece := os.read(heard, MOST):
        found = (found + piece)[-MOST:]
    return found
