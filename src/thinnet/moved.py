"""Old names of modules, keywords and methods: each is refused in a sentence with the new one."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

MODULES: Final = {
    "binding": "network.binding",
    "chains": "layers.mlp",
    "checkpoints": "snapshots",
    "comparison": "commands.comparison",
    "description": "network.summary",
    "diagnostics": "training.diagnostics",
    "displays.asking": "displays.inputs",
    "execution": "network.executor",
    "initialisers": "initializers",
    "jobs": "commands",
    "logbook": "network.logbook",
    "optimisers": "optimizers",
    "penalties": "training.penalties",
    "persistence.ensembles": "persistence.wrappers",
    "plateau": "schedules",
    "presence": "layers.presence",
    "progress": "console.progress",
    "recipes": "commands.recipes",
    "rendering": "console.tables",
    "run": "passes",
    "sampling": "network.sampling",
    "tables.blocks": "tables.reading.block",
    "training.step": "training.reference",
    "training.steps": "training.compiled",
    "uncertainty.reliability": "uncertainty.binning",
}

P = ParamSpec("P")
T = TypeVar("T")


def new_name(old: str) -> str:
    """A sentence with the new name of a module of thinnet; "" if it has not moved."""
    parts = old.removeprefix("thinnet.").split(".")
    for name in (parts[0], ".".join(parts[:2])):
        if new := MODULES.get(name) or _in_a_room_within(name):
            return f"thinnet.{name} is now thinnet.{new}"
    return ""


def _in_a_room_within(name: str) -> str:
    """The name of a module that stood in a room, and stands in a room of it now."""
    room, _, module = name.rpartition(".")
    if not room:
        return ""
    found = sorted((Path(__file__).parent / room).glob(f"*/{module}.py"))
    return f"{room}.{found[0].parent.name}.{module}" if found else ""


class Moved(MetaPathFinder):
    """An import finder that raises an error with the new name of a module that has moved."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname.startswith("thinnet.") and (message := new_name(fullname)):
            # With `name`, `from thinnet import old` would not let it through.
            raise ModuleNotFoundError(message)


def refuse_old_modules() -> None:
    """Make imports of modules that have moved fail with the new name."""
    if not any(isinstance(finder, Moved) for finder in sys.meta_path):
        sys.meta_path.append(Moved())


def renamed(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Refuse renamed keywords, given as ``old="new"``: TypeError if an old one is passed."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            for old in names.keys() & kwargs.keys():
                raise TypeError(f"{old} is now {names[old]}, got {old}={kwargs[old]!r}")
            return function(*args, **kwargs)

        return checked

    return decorate


def renamed_fields(**names: str) -> Callable[[type[T]], type[T]]:
    """`renamed` for the fields of a dataclass."""

    def decorate(cls: type[T]) -> type[T]:
        made: Any = cls
        made.__init__ = renamed(**names)(made.__init__)
        return cls

    return decorate


class RenamedMethod:
    """Stands in place of a method that was renamed; reading it raises AttributeError."""

    def __init__(self, new: str) -> None:
        self.new = new

    def __set_name__(self, owner: type, name: str) -> None:
        self.old = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__}.{self.old} is now {owner.__name__}.{self.new}")
