"""The beginning of the command `thinnet`: it handles Ctrl-C before anything large is imported."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from thinnet_command import space

STOPPED = 130


def main() -> None:
    """Run the command; outside of its work Ctrl-C ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)
    if space.limit() is None or not hasattr(os, "fork"):
        run()
    else:
        space.watch(run)


def run() -> None:
    try:
        from thinnet.cli import app

        app()  # which imports more
    except (MemoryError, ImportError, OSError, SystemError) as error:
        space.leave_if_short(error)
        raise


def leave(number: int, frame: FrameType | None) -> None:
    """End the process at once: no file is open that would have to be closed."""
    with suppress(Exception):
        sys.stdout.flush()
    os.write(2, b"thinnet: stopped\n")
    os._exit(STOPPED)
