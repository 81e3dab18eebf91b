"""Ctrl-C in tests: heard however pytest was started, and no test waits for it for ever.

A job runner or nohup starts programs with SIGINT ignored, which children inherit.  While a handler
is set, they start as on a terminal.
"""

import signal
import subprocess
from contextlib import contextmanager

LIMIT = 120  # seconds


@contextmanager
def heard(limit=LIMIT):
    """SIGINT raises KeyboardInterrupt, here and in children that are started; else TimeoutError."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with at_most(limit):
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def at_most(limit):
    """TimeoutError in the main thread after so many seconds, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def is_late(number, frame):
        raise TimeoutError(f"the test must be done within {limit} s")

    before = signal.signal(signal.SIGALRM, is_late)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def child(arguments, **settings):
    """A process whose output is read as text; it is gone afterwards, whatever happened."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, **settings)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
