"""Where the results of each system are kept: a file for each, written after every fold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from field.tables import Problem
from thinnet.atomic import write_atomically

FOLDER: Final = Path(__file__).parents[1] / "results" / "tables"


class Kept:
    """The folds of one system, and the seconds of a fit of each table.

    Attributes
    ----------
    folds : dict
        Of each table the figures of its folds, in their order.
    seconds : dict
        Of each table the seconds of a fit of its first fold with nothing beside it, and the
        processor that they are of.
    """

    def __init__(self, system: str, folder: Path = FOLDER) -> None:
        self.system, self._path = system, folder / f"{_file_name(system)}.json"
        known = json.loads(self._path.read_text()) if self._path.exists() else {}
        self.version: str | None = known.get("version")
        self.folds: dict[str, list[dict[str, Any]]] = known.get("folds", {})
        self.seconds: dict[str, dict[str, Any]] = known.get("seconds", {})

    def save(self) -> None:
        parts = {"system": self.system, "version": self.version}
        lines = [f' "{name}": {json.dumps(part)}' for name, part in parts.items()]
        lines += [_by_table("folds", self.folds), _by_table("seconds", self.seconds)]
        _write(self._path, ",\n".join(lines))

    def mean(self, table: str, figure: str) -> float:
        values = [fold[figure] for fold in self.folds[table]]
        return float(sum(values) / len(values))


class Facts:
    """Of each table its rows, columns, classes (0 for numbers), and what losses are divided by."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._path = folder / "tables.json"
        self.tables: dict[str, dict[str, Any]] = (
            json.loads(self._path.read_text()) if self._path.exists() else {}
        )

    def add(self, name: str, given: Problem) -> None:
        rows, columns = given.X.shape
        classes = 0 if given.is_regression else len(set(given.y))
        spread = float(given.y.std()) if given.is_regression else 1.0
        facts = {"rows": rows, "columns": columns, "classes": classes, "spread": spread}
        self.tables = dict(sorted({**self.tables, name: facts}.items()))
        lines = (f' "{each}": {json.dumps(part)}' for each, part in self.tables.items())
        _write(self._path, ",\n".join(lines))


def _write(path: Path, lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"{{\n{lines}\n}}\n".encode())


def _by_table(name: str, parts: dict[str, Any]) -> str:
    """One line for each table, so that a change of one is a change of a line."""
    lines = [f'  "{table}": {json.dumps(part, allow_nan=False)}' for table, part in parts.items()]
    return f' "{name}": {{\n' + ",\n".join(lines) + "\n }"


def _file_name(system: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in system.lower()).split())
