"""Whole processes: memory, import, compiling, and ten epochs of Fashion-MNIST from files.

    python benchmarks/processes.py [--data-dir DIR] [--threads N] [--avx2] [--json FILE]

DIR holds the four files of Fashion-MNIST (train-images-idx3-ubyte.gz and so on).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import numpy as np
import typer
from json_file import JsonFile, save
from limits import Avx2, Threads, hold
from machine import record
from rich.console import Console
from rich.table import Table

PROGRAMS = Path(__file__).parent / "programs"
ROUNDS = 7


class Run(NamedTuple):
    seconds: float
    printed: float


class Figure(NamedTuple):
    title: str
    value: float
    unit: str
    low: float
    high: float


def figure(title: str, found: list[float], unit: str = "") -> Figure:
    """Median and quartiles."""
    low, middle, high = map(float, np.quantile(found, (0.25, 0.5, 0.75)))
    return Figure(title, middle, unit, low, high)


def run(program: str, *arguments: str, **environment: str) -> Run:
    """A program of the folder, or code, in a process of its own: seconds, and its last number."""
    code = ["-c", program] if "\n" in program else [str(PROGRAMS / program)]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *code, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    return Run(time.perf_counter() - start, float(done.stdout.split()[-1]))


IMPORT = (
    "import time\nstart = time.perf_counter()\nimport thinnet\nprint(time.perf_counter() - start)"
)


def small_figures() -> list[Figure]:
    run("first_epoch.py")  # the cache is warm from here on
    with tempfile.TemporaryDirectory() as folder:
        cold = run("first_epoch.py", THINNET_CACHE_DIR=folder).printed
    warm = [run("first_epoch.py").seconds for _ in range(ROUNDS)]
    imports = [run(IMPORT).printed for _ in range(ROUNDS)]
    memory = [run("second_fit.py").printed for _ in range(3)]
    return [
        figure("import thinnet", imports, "s"),
        figure("first training with an empty cache: all that compiling costs", [cold], "s"),
        figure("process start to the end of the first epoch, cache warm", warm, "s"),
        figure("peak memory of a second fit of 60,000 x 784 float32", memory, "MB"),
    ]


def fashion(folder: Path) -> tuple[list[Figure], dict[str, list[Run]]]:
    """Ten epochs in turn; the scores must be alike, for both did the same work."""
    runs: dict[str, list[Run]] = {"ours": [], "torch": []}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            found.append(run(f"fashion_{name}.py", str(folder)))
    pairs = zip(runs["torch"], runs["ours"], strict=True)
    ratios = [theirs.seconds / ours.seconds for theirs, ours in pairs]
    title = "Fashion-MNIST, ten epochs from its files to a score: times as fast as PyTorch"
    return [figure(title, ratios)], runs


def main(
    data_dir: Annotated[Path | None, typer.Option(help="Folder with fashion-mnist/.")] = None,
    avx2: Avx2 = False,
    threads: Threads = None,
    json_file: JsonFile = None,
) -> None:
    """Measure whole processes."""
    machine = record({"avx2": avx2, "threads": threads}, hold(avx2, threads))
    figures, runs = small_figures(), {}
    if data_dir is not None:
        more, runs = fashion(data_dir / "fashion-mnist")
        figures += more
    table = Table("figure", "measured")
    for each in figures:
        table.add_row(each.title, f"{each.value:.3g} {each.unit}")
    Console(width=110).print(table)
    for name, found in runs.items():
        seconds = median(each.seconds for each in found)
        print(f"{name}: {seconds:.2f} s, test accuracy {found[0].printed:.4f}")
    save(json_file, machine, figures=[each._asdict() for each in figures], runs=runs)


if __name__ == "__main__":
    typer.run(main)
