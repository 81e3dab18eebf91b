"""Error bars on the UCI sets, as published: `python benchmarks/uci.py --data-dir DIR --out DIR`.

DIR has a folder for each set (data.txt, index_*.txt, and the grid beside them).  The splits run in
parallel; each one's result is kept in its own file below --out, so that a run that was cut short
goes on where it was.

--method grid    the protocol of 2018: one layer of 50 units, the grid searched on training rows
--method tuned   our own configuration, settled on training rows too (it has epochs of its own)
--method torch   the protocol of 2018 as a loop of PyTorch, for its time
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from published.sets import COLUMNS, PUBLISHED, DataSet, Figures
from rich.console import Console
from rich.progress import track
from rich.table import Table

from thinnet.atomic import write_atomically
from thinnet.engine.threads import limited

METHODS = {"grid": "protocol", "tuned": "tuned", "torch": "torch_loop"}  # and their modules


class Job:
    """One split of one set by one method."""

    def __init__(self, settings: argparse.Namespace, folder: Path, number: int) -> None:
        self.folder, self.number, self.method = folder, number, settings.method
        self.epochs, self.draws = settings.epochs, settings.draws
        name = f"{self.method}-{folder.name}-{self.epochs}-{self.draws}-{number:02}.json"
        self.path = settings.out / name

    def __call__(self) -> None:
        start = time.perf_counter()
        run = import_module(f"published.{METHODS[self.method]}").run
        with limited(1):
            found = run(DataSet(self.folder), self.number, self.epochs, self.draws)
        found["seconds"] = time.perf_counter() - start
        write_atomically(self.path, json.dumps(found, indent=1).encode())

    def result(self) -> dict[str, float]:
        return dict(json.loads(self.path.read_text()))


def folders(data_dir: Path, names: list[str] | None) -> list[Path]:
    """Those of the sets; ValueError where there are none of these names."""
    data = sorted([*data_dir.glob("*/data.txt"), *data_dir.glob("*/data/data.txt")])
    known = {path.relative_to(data_dir).parts[0]: None for path in data}
    if not known:
        raise ValueError(f"--data-dir must hold folders with data.txt, got {str(data_dir)!r}")
    for name in names or ():
        if name not in known:
            raise ValueError(f"--sets must be among {', '.join(known)}, got {name!r}")
    return [data_dir / name for name in names or known]


def jobs(settings: argparse.Namespace) -> Iterator[Job]:
    for folder in folders(settings.data_dir, settings.sets):
        for number in range(min(settings.splits, DataSet(folder).n_splits)):
            yield Job(settings, folder, number)


def run(all_jobs: list[Job], workers: int) -> None:
    waiting = [job for job in all_jobs if not job.path.exists()]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        running = [pool.submit(job) for job in waiting]
        for future in track(as_completed(running), "splits", len(running)):
            future.result()


def summary(results: list[dict[str, float]], name: str) -> tuple[float, float]:
    """Mean over the splits, and its standard error."""
    values = [result[name] for result in results]
    return float(np.mean(values)), float(np.std(values) / np.sqrt(len(values)))


def figure_text(mean: float, error: float) -> str:
    return f"{mean:.3f} +- {error:.3f}" if error else f"{mean:.3f}"


def table(all_jobs: list[Job], method: str) -> Table:
    shown = Table("set", "figure", f"this run, {method}", *COLUMNS, "seconds")
    for name in dict.fromkeys(job.folder.name for job in all_jobs):
        results = [job.result() for job in all_jobs if job.folder.name == name]
        published = PUBLISHED.get(name, (Figures(np.nan, np.nan),) * len(COLUMNS))
        seconds = f"{sum(result['seconds'] for result in results):.0f}"
        rmse = [figure_text(each.rmse, each.rmse_error) for each in published]
        shown.add_row(name, "RMSE", figure_text(*summary(results, "rmse")), *rmse, seconds)
        theirs = [(each.log_likelihood, each.log_likelihood_error) for each in published]
        likelihood = [figure_text(mean, error) for mean, error in theirs]
        ours = figure_text(*summary(results, "log_likelihood"))
        shown.add_row("", "log likelihood", ours, *likelihood, "")
        if "point_rmse" in results[0]:
            shown.add_row("", "RMSE, dropout off", figure_text(*summary(results, "point_rmse")))
    return shown


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, got {text}")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for results")
    parser.add_argument("--method", choices=METHODS, default="grid")
    parser.add_argument("--sets", nargs="*", help="folders of --data-dir; by default all")
    parser.add_argument("--splits", type=count, default=20, help="the first so many")
    parser.add_argument("--epochs", type=count, default=4000)
    parser.add_argument("--draws", type=count, default=10_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    settings = parser.parse_args()
    try:
        all_jobs, start = list(jobs(settings)), time.perf_counter()
    except ValueError as refused:
        parser.error(str(refused))
    settings.out.mkdir(parents=True, exist_ok=True)
    run(all_jobs, settings.jobs)
    console = Console(width=150)
    console.print(table(all_jobs, settings.method))
    console.print(f"{time.perf_counter() - start:.0f} s on {settings.jobs} processes")


if __name__ == "__main__":
    main()
