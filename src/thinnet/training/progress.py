"""A progress bar where someone is looking: on terminals and in notebooks."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any, Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from thinnet import checks
from thinnet.training.history import Epoch


@runtime_checkable
class Bar(Protocol):
    def advance(self, steps: int) -> None: ...

    def say(self, epoch: Epoch) -> None: ...


class Silent:
    """Shows nothing."""

    def advance(self, steps: int) -> None:
        pass

    def say(self, epoch: Epoch) -> None:
        pass


class Shown:
    """A rich bar over steps, with the latest losses beside it."""

    def __init__(self, bar: Progress, title: str, done: int, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task(title, completed=done, total=total, said="")

    def advance(self, steps: int) -> None:
        self._bar.advance(self._task, steps)

    def say(self, epoch: Epoch) -> None:
        said = f"loss {epoch.loss:.3f}"
        if not math.isnan(epoch.validation_score):
            said += f", validation {epoch.validation_score:.3f}"
        self._bar.update(self._task, said=said)


def opened(show: bool | None, title: str, done: int, total: int) -> Any:
    """A context that gives a Bar; with ``show=None`` it is silent where nobody looks."""
    checks.one_of("progress", show, (None, True, False))
    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter if show is None else show):
        return nullcontext(Silent())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )
    return _ShownContext(Progress(*columns, console=console), title, done, total)


class _ShownContext:
    def __init__(self, bar: Progress, title: str, done: int, total: int) -> None:
        self._bar, self._task = bar, (title, done, total)

    def __enter__(self) -> Shown:
        self._bar.start()
        return Shown(self._bar, *self._task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
