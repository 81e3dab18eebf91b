"""Every row of docs/benchmarks.md: ``python benchmarks [--only TEXT] [--json FILE]``."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from harness import Comparison, compare
from rich.console import Console
from rich.table import Table
from rows import ROWS, Row

CONSOLE = Console(width=120)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def shown(seconds: float) -> str:
    scale, unit = next((s, u) for s, u in UNITS if seconds >= s or u == "ns")
    return f"{seconds / scale:.3g} {unit}"


def report(row: Row, found: Comparison) -> dict[str, Any]:
    """One row's numbers: seconds as quartiles, and ratios."""
    systems = {}
    for name in found.seconds:
        timing = found.timing(name)
        systems[name] = {
            "seconds": timing._asdict(),
            "ratio": found.ratio(name),
            "check": found.checks[name],
        }
    return {"title": row.title, "unit": row.unit, "rounds": row.rounds, "systems": systems}


def show(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['title']}, per {report['unit']}", title_justify="left")
    for column in ("system", "median", "quartiles", "times thinnet"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for name, system in report["systems"].items():
        seconds = system["seconds"]
        quartiles = f"{shown(seconds['low'])} to {shown(seconds['high'])}"
        table.add_row(name, shown(seconds["median"]), quartiles, f"{system['ratio']:.2f}")
    CONSOLE.print(table)


def machine() -> dict[str, str]:
    from thinnet.engine.info import info

    names = ("thinnet", "numpy", "numba", "torch", "jax", "keras", "sklearn")
    packages = {name: {"sklearn": "scikit-learn"}.get(name, name) for name in names}
    found = {name: version(package) for name, package in packages.items() if find_spec(name)}
    return {"python": platform.python_version(), **found, **info()}


def main(
    only: Annotated[str, typer.Option(help="Rows whose title holds this.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="Numbers and machine.")] = None,
) -> None:
    """Measure thinnet against its peers, side by side."""
    rows = []
    for row in (row for row in ROWS if only in row.title):
        rows.append(report(row, compare(row.systems(), row.problem, row.rounds)))
        show(rows[-1])
        if json_file is not None:
            text = json.dumps({"machine": machine(), "rows": rows}, indent=1)
            json_file.write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
