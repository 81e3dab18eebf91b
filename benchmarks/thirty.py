"""Thirty tables, five folds, thinnet beside six rivals, all with their defaults.

    python benchmarks/thirty.py measure --data-dir DIR     losses, scores, calibration
    python benchmarks/thirty.py seconds --data-dir DIR     of a fit, with nothing else running
    python benchmarks/thirty.py page                       what docs/tables.md shows of them

DIR holds tables, tables-more and uci-regression.  LightGBM, CatBoost, and pytabkit with PyTorch
(RealMLP-TD, TabM-D) are a benchmark's dependencies: `pip install torch==2.13.0`, then
`pip install lightgbm catboost pytabkit`.  Results are kept in benchmarks/results/tables after each
fold, and a run goes on where one was cut short; `--again` measures what is there once more.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from field import page as pages
from field.figures import figures
from field.results import Facts, Kept
from field.systems import BESIDE, SYSTEMS, versions
from field.tables import Problem, names, problem
from machine import look

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)
ALL = {**SYSTEMS, **BESIDE}

DataDir = Annotated[Path, typer.Option(exists=True, file_okay=False, help="The tables' folders.")]
Systems = Annotated[str, typer.Option(help="Names of systems, between commas; default: the seven.")]
Tables = Annotated[str, typer.Option(help="Names of tables, between commas; default: all.")]
Again = Annotated[bool, typer.Option("--again", help="Measure once more what has results.")]


@app.command()
def measure(
    data_dir: DataDir, systems: Systems = "", tables: Tables = "", again: Again = False
) -> None:
    """Five folds of each table by each system."""
    facts = Facts()
    for kept, name, given in _work(data_dir, systems, tables):
        facts.add(name, given)
        done = kept.folds.setdefault(name, [])
        if again:
            done.clear()
        for learned, held in list(given.folds())[len(done) :]:
            model = _fitted(kept.system, given, learned)
            done.append(figures(given, model, held))
            kept.save()
        losses = f"{kept.mean(name, 'loss') / facts.tables[name]['spread']:.4f}"
        print(f"{name:20} {kept.system:22} {losses}", flush=True)


@app.command()
def seconds(
    data_dir: DataDir, systems: Systems = "", tables: Tables = "", again: Again = False
) -> None:
    """A fit of the first fold of each table by each system, after one that warms up."""
    processor = look()
    shown = f"{processor['model']} {processor.get('core', '')}".strip()
    warm = set[str]()
    for kept, name, given in _work(data_dir, systems, tables):
        if name in kept.seconds and not again:
            continue
        if kept.system not in warm:
            _fitted(kept.system, given, _first(given)[:100])
            warm.add(kept.system)
        start = time.perf_counter()
        _fitted(kept.system, given, _first(given))
        kept.seconds[name] = {"fit": time.perf_counter() - start, "processor": shown}
        kept.save()
        print(f"{name:20} {kept.system:22} {kept.seconds[name]['fit']:.2f} s", flush=True)


@app.command()
def page() -> None:
    """Write the results into docs/tables.md, between its markers."""
    pages.write()


def _work(folder: Path, systems: str, tables: str) -> Iterator[tuple[Kept, str, Problem]]:
    wanted = _chosen("systems", systems, list(ALL), list(SYSTEMS))
    known = names(folder)
    for name in _chosen("tables", tables, known, known):
        given = problem(name, folder)
        for system in wanted:
            kept = Kept(system)
            kept.version = versions(system)
            yield kept, name, given


def _chosen(option: str, text: str, known: list[str], default: list[str]) -> list[str]:
    wanted = [name.strip() for name in text.split(",")] if text else default
    for name in wanted:
        if name not in known:
            raise typer.BadParameter(f"--{option} must be among {', '.join(known)}, got {name!r}")
    return wanted


def _first(given: Problem) -> Any:
    return next(given.folds())[0]


def _fitted(system: str, given: Problem, rows: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ALL[system](given.is_regression).fit(given.X.iloc[rows], given.y[rows])


if __name__ == "__main__":
    app()
