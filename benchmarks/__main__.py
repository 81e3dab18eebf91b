"""Every row of docs/benchmarks.md: ``python benchmarks [--quick] [--json FILE]``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from amounts import range_text, shown
from harness import Comparison, compare
from json_file import JsonFile, save
from limits import Avx2, Threads, hold
from machine import record
from rich.console import Console
from rich.table import Table
from rows import QUICK_ROUNDS, Row, chosen, left_out

CONSOLE = Console(width=120)


def report(row: Row, found: Comparison, rounds: int) -> dict[str, Any]:
    """One row's numbers: seconds as quartiles, and ratios."""
    return {"title": row.title, "unit": row.unit, "rounds": rounds, "systems": found.systems()}


def show(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['title']}, per {report['unit']}", title_justify="left")
    for column in ("system", "median", "quartiles", "times thinnet", "quartiles of it"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for name, system in report["systems"].items():
        seconds = system["seconds"]
        quartiles = range_text(seconds["low"], seconds["high"])
        ratios = "{low:.2f} to {high:.2f}".format(**system["ratios"])
        median = shown(seconds["median"])
        table.add_row(name, median, quartiles, f"{system['ratio']:.2f}", ratios)
    CONSOLE.print(table)


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Five rows in two minutes.")] = False,
    only: Annotated[str, typer.Option(help="Rows whose title holds this.")] = "",
    without: Annotated[
        list[str] | None, typer.Option(help="A system to leave out; may be given again.")
    ] = None,
    avx2: Avx2 = False,
    threads: Threads = None,
    json_file: JsonFile = None,
) -> None:
    """Measure thinnet against its peers, side by side."""
    rows, without = chosen(only, quick), left_out(without or [], quick)
    options = {"quick": quick, "only": only, "without": without, "avx2": avx2, "threads": threads}
    machine = record(options, hold(avx2, threads))
    CONSOLE.print(f"{machine['model']}, {machine['processor']}, threads: {machine['threads']}")
    measured: list[dict[str, Any]] = []
    for row in rows:
        rounds = QUICK_ROUNDS if quick else row.rounds
        systems = row.systems(without)
        measured.append(report(row, compare(systems, row.problem, rounds), rounds))
        show(measured[-1])
        save(json_file, machine, rows=measured)


if __name__ == "__main__":
    typer.run(main)
