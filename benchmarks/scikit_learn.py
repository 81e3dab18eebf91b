"""Our MLPs beside scikit-learn's: `python benchmarks/scikit_learn.py --data-dir DIR [--quick]`.

Both fit the same rows with the same settings and no dropout, each in a process of its own, woken
in turn while the other sleeps.  Printed are the median ratio of the times, and the mean test scores
of five seeds.  With --quick it is one seed, in fewer rounds, without Fashion-MNIST.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from amounts import ratio_text
from harness import Comparison, Prepared, compare
from json_file import JsonFile, save
from limits import Avx2, Threads, hold
from machine import record
from sklearn import neural_network
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import thinnet
from thinnet.datasets import fashion_mnist
from thinnet.tables.reading import read_table

SEEDS, ROUNDS = 5, 7
QUICK_SEEDS, QUICK_ROUNDS = 1, 3
# Rounding makes trainings in float32 drift apart as far as other seeds do, whose scores scatter by
# .002 on Fashion-MNIST: four standard errors of the difference of two means of five.
AGREE = {"float32": 5e-3, "float64": 1e-3}


def digits(folder: Path | None) -> tuple[Any, ...]:
    X, y = load_digits(return_X_y=True)
    return *train_test_split(X / 16, y, random_state=0), "MLPClassifier"


def california(folder: Path) -> tuple[Any, ...]:
    """Eight numbers, standardised, as in scikit-learn's own data set."""
    frame, _ = read_table(folder / "tables" / "california-housing.csv")
    frame = frame.dropna().drop(columns="ocean_proximity")
    y = frame.pop("median_house_value").to_numpy() / 1e5
    X_train, X_test, y_train, y_test = train_test_split(frame.to_numpy(), y, random_state=0)
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test), y_train, y_test, "MLPRegressor"


def fashion(folder: Path) -> tuple[Any, ...]:
    """10,000 training images."""
    data = fashion_mnist(folder / "fashion-mnist")
    return data.X_train[:10_000], data.X_test, data.y_train[:10_000], data.y_test, "MLPClassifier"


PROBLEMS = {
    "digits": digits,
    "California housing": california,
    "Fashion-MNIST, 10,000 rows": fashion,
}
SLOW = "Fashion-MNIST, 10,000 rows"


@dataclass(frozen=True)
class Fit:
    name: str
    dtype: str
    folder: Path | None
    seeds: int = SEEDS

    def data(self) -> tuple[Any, ...]:
        X_train, X_test, y_train, y_test, kind = PROBLEMS[self.name](self.folder)
        return X_train.astype(self.dtype), X_test.astype(self.dtype), y_train, y_test, kind


def _prepared(library: Any, problem: Fit) -> Prepared:
    """Fits with one seed are timed; the score is the mean of several, which warm up too."""
    warnings.simplefilter("ignore")
    X_train, X_test, y_train, y_test, kind = problem.data()
    make = getattr(library, kind)
    fits = [make(random_state=seed).fit(X_train, y_train) for seed in range(problem.seeds)]
    score = float(np.mean([model.score(X_test, y_test) for model in fits]))
    work = partial(_fit, make, X_train, y_train)
    return Prepared(work, check=score, warm_up=0)


def _fit(make: Any, X: np.ndarray, y: np.ndarray) -> None:
    make(random_state=0).fit(X, y)


def ours(problem: Fit) -> Prepared:
    return _prepared(thinnet, problem)


def theirs(problem: Fit) -> Prepared:
    return _prepared(neural_network, problem)


SYSTEMS = {"thinnet": ours, "scikit-learn": theirs}


def fits(folder: Path | None, only: str, quick: bool, seeds: int | None) -> list[Fit]:
    """Without a folder just digits, which scikit-learn brings."""
    names = ("digits",) if folder is None else tuple(PROBLEMS)
    names = tuple(name for name in names if only in name and not (quick and name == SLOW))
    if not names:
        among = f"{', '.join(PROBLEMS)} (all but digits need --data-dir)"
        raise typer.BadParameter(f"--only must be in one of {among}, got {only!r}")
    seeds = seeds or (QUICK_SEEDS if quick else SEEDS)
    return [Fit(name, dtype, folder, seeds) for name in names for dtype in AGREE]


def report(fit: Fit, found: Comparison, rounds: int) -> dict[str, Any]:
    kept = {"title": fit.name, "dtype": fit.dtype, "seeds": fit.seeds, "rounds": rounds}
    return kept | {"systems": found.systems()}


def line(report: dict[str, Any]) -> str:
    systems = report["systems"]
    scores = ", ".join(f"{name} {system['check']:.5f}" for name, system in systems.items())
    times = ratio_text(systems["scikit-learn"])
    return f"{report['title']}, {report['dtype']}: {times} times as fast; scores {scores}"


def main(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder with tables/ and fashion-mnist/.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One seed, fewer rounds.")] = False,
    only: Annotated[str, typer.Option(help="Data whose name holds this.")] = "",
    rounds: Annotated[int | None, typer.Option(min=1)] = None,
    seeds: Annotated[int | None, typer.Option(min=1)] = None,
    avx2: Avx2 = False,
    threads: Threads = None,
    json_file: JsonFile = None,
) -> None:
    """Fit the same rows with thinnet and scikit-learn."""
    planned = fits(data_dir, only, quick, seeds)
    rounds = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    options = {"quick": quick, "only": only, "avx2": avx2, "threads": threads}
    machine = record(options, hold(avx2, threads))
    measured = []
    for fit in planned:
        agree = AGREE[fit.dtype] * (SEEDS / fit.seeds) ** 0.5
        measured.append(report(fit, compare(SYSTEMS, fit, rounds, agree), rounds))
        print(line(measured[-1]), flush=True)
        save(json_file, machine, fits=measured)


if __name__ == "__main__":
    typer.run(main)
