"""Whole processes: memory, import, compiling, and ten epochs of Fashion-MNIST from files.

    python benchmarks/processes.py [--data-dir DIR] [--json FILE]

DIR holds the four files of Fashion-MNIST (train-images-idx3-ubyte.gz and so on).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import typer
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
    warm = median(run("first_epoch.py").seconds for _ in range(ROUNDS))
    imports = median(run(IMPORT).printed for _ in range(ROUNDS))
    memory = median(run("second_fit.py").printed for _ in range(3))
    return [
        Figure("import thinnet", imports, "s"),
        Figure("first training with an empty cache: all that compiling costs", cold, "s"),
        Figure("process start to the end of the first epoch, cache warm", warm, "s"),
        Figure("peak memory of a second fit of 60,000 x 784 float32", memory, "MB"),
    ]


def fashion(folder: Path) -> tuple[list[Figure], dict[str, list[Run]]]:
    """Ten epochs in turn; the scores must be alike, for both did the same work."""
    runs: dict[str, list[Run]] = {"ours": [], "torch": []}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            found.append(run(f"fashion_{name}.py", str(folder)))
    pairs = zip(runs["torch"], runs["ours"], strict=True)
    ratio = median(theirs.seconds / ours.seconds for theirs, ours in pairs)
    return [Figure("Fashion-MNIST, ten epochs: fraction of torch's time", 1 / ratio, "")], runs


def main(
    data_dir: Annotated[Path | None, typer.Option(help="Folder with fashion-mnist/.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Measure whole processes."""
    figures, runs = small_figures(), {}
    if data_dir is not None:
        more, runs = fashion(data_dir / "fashion-mnist")
        figures += more
    table = Table("figure", "measured")
    for figure in figures:
        table.add_row(figure.title, f"{figure.value:.3g} {figure.unit}")
    Console(width=110).print(table)
    for name, found in runs.items():
        seconds = median(each.seconds for each in found)
        print(f"{name}: {seconds:.2f} s, test accuracy {found[0].printed:.4f}")
    if json_file is not None:
        kept = {"figures": [f._asdict() for f in figures], "runs": runs}
        json_file.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
