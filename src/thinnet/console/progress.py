"""A progress bar, shown where somebody looks: on terminals and in notebooks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from threading import Lock
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from thinnet import checks

PATIENCE: Final = 1.0  # seconds of work before an optional bar appears


@runtime_checkable
class Bar(Protocol):
    def advance(self, steps: int) -> None: ...

    def show(self, text: Callable[[], str]) -> None: ...


class Silent:
    """A bar that shows nothing."""

    def advance(self, steps: int) -> None:
        pass

    def show(self, text: Callable[[], str]) -> None:
        pass


class Shown:
    """A rich bar over steps with a few words beside it; it ends when its context is left.

    It appears with the first update after `patience` seconds.  Bars that are open at once, of
    several threads too, share one display, since a terminal has room for one.
    """

    _display: ClassVar[Progress | None] = None
    _open: ClassVar[int] = 0
    _lock: ClassVar[Lock] = Lock()

    def __init__(
        self, console: Console, title: str, done: int, total: int, patience: float
    ) -> None:
        self._console, self._due = console, time.monotonic() + patience
        self._title, self._done, self._total = title, done, total

    def __enter__(self) -> Shown:
        with Shown._lock:
            if Shown._display is None:
                Shown._display = _display(self._console)
            Shown._open += 1
            self._bar = Shown._display
            self._task = self._bar.add_task(
                self._title, completed=self._done, total=self._total, words=""
            )
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        with Shown._lock:
            Shown._open -= 1
            if Shown._open:
                return
            Shown._display = None
            if self._bar.live.is_started:  # else it would leave an empty line
                self._bar.stop()

    def _show(self) -> None:
        if time.monotonic() >= self._due:
            self._bar.start()  # once; then it does nothing

    def advance(self, steps: int) -> None:
        self._show()
        self._bar.advance(self._task, steps)

    def show(self, text: Callable[[], str]) -> None:
        self._bar.update(self._task, words=text())


def someone_looks(console: Console) -> bool:
    return console.is_terminal or console.is_jupyter


def opened(show: bool | None, title: str, done: int, total: int, patience: float = 0.0) -> Any:
    """A context that gives a Bar; with ``show=None`` it shows only where somebody looks."""
    checks.one_of("progress", show, (None, True, False))
    if show is False:
        return nullcontext(Silent())
    console = Console(stderr=True)
    if show is None and not someone_looks(console):
        return nullcontext(Silent())
    return Shown(console, title, done, total, patience)


def _display(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    return Progress(*columns, console=console)
