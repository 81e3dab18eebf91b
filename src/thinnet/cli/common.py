"""The end of a command on an error: one sentence, and an exit code."""

from __future__ import annotations

import inspect
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from thinnet.checks import (
    CheckpointError,
    DataFileError,
    DivergedError,
    MissingLibraryError,
    ModelFileError,
    SettingError,
)
from thinnet.cli.flags import in_flags, renamed
from thinnet.console.tables import printable
from thinnet_command import space

FAILED: Final = 1
WRONG_USE: Final = 2
STOPPED: Final = 130
NO_WARNING: Final = "Training interrupted by user"  # the command has its own sentence

REFUSED: Final = (
    DataFileError,
    ModelFileError,
    CheckpointError,
    DivergedError,
    MissingLibraryError,
)

# What is printed has names from files in it, which may look like rich's own marks.
screen = Console(markup=False, emoji=False)
errors = Console(stderr=True, markup=False, emoji=False)


@contextmanager
def one_sentence(about: str = "this") -> Iterator[None]:
    """A context in which errors are printed as one sentence, and warnings as notes.

    Parameters
    ----------
    about : str
        The name, in a sentence, of what may be too large for memory.
    """
    try:
        with _pressed_is_raised(), warnings.catch_warnings():
            warnings.showwarning = _note  # type: ignore[assignment]
            warnings.simplefilter("always", UserWarning)
            warnings.filterwarnings("ignore", NO_WARNING, UserWarning)
            yield
    except REFUSED as error:
        fail(error, FAILED)
    except ValueError as error:
        fail(error, WRONG_USE)
    except Exception as error:
        if space.is_short(error):
            words = str(error) or "no more can be had"
            fail(f"there is not enough memory for {about} ({words}){space.shortage_text()}", FAILED)
        if not isinstance(error, OSError):
            raise
        fail(_system_reason(error), FAILED)
    except KeyboardInterrupt as pressed:
        fail(str(pressed) or "stopped", STOPPED)


@contextmanager
def _pressed_is_raised() -> Iterator[None]:
    """A context in which Ctrl-C is a KeyboardInterrupt; outside of it see `thinnet_command`."""
    before = signal.getsignal(signal.SIGINT)
    on_main = threading.current_thread() is threading.main_thread()
    if not on_main or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _system_reason(error: OSError) -> str:
    """The system's reason and its file, without the error's number."""
    words = error.strerror or str(error)
    return f"{words}: {error.filename}" if error.filename else words


def _note(message: Warning | str, *_: Any) -> None:
    note(str(message))


def note(words: str) -> None:
    _complain(f"note: {in_flags(words)}", "yellow")


def fail(error: Exception | str, code: int) -> None:
    words = in_flags(" ".join(str(error).split()))
    _complain(f"thinnet: {words}", "red")
    raise typer.Exit(code)


def _complain(words: str, style: str) -> None:
    errors.print(printable(words), style=style, highlight=False, soft_wrap=True, markup=False)


def say(words: str) -> None:
    screen.print(printable(words), highlight=False, soft_wrap=True, markup=False)


@contextmanager
def as_typed() -> Iterator[None]:
    """A context in which a setting's error names the option that was typed."""
    try:
        yield
    except SettingError as error:
        raise renamed(error) from None


@contextmanager
def unsaved(what: str = "no model is saved") -> Iterator[None]:
    """A context in which Ctrl-C ends with a sentence that nothing was saved."""
    try:
        yield
    except KeyboardInterrupt as pressed:
        raise KeyboardInterrupt(str(pressed) or f"stopped; {what}") from None


def unwrapped(doc: str | None) -> str:
    """A docstring whose paragraphs are a line each, so that help wraps them once."""
    paragraphs = inspect.cleandoc(doc or "").split("\n\n")
    return "\n\n".join(" ".join(text.split()) for text in paragraphs)


def numbers(option: str, kind: type, text: str | None) -> Any:
    """The numbers between commas."""
    if text is None:
        return None
    try:
        return tuple(kind(part) for part in text.split(",")) if text else ()
    except ValueError:
        kind_of = "integers" if kind is int else "numbers"
        raise ValueError(f"{option} must be {kind_of} between commas, got {text!r}") from None


FORCE: Final = (
    "Replace a file that is there, though thinnet didn't write it; never one that is read."
)
Force = Annotated[bool, typer.Option("--force", help=FORCE)]
