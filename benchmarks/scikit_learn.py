"""Our MLPs beside scikit-learn's: `python benchmarks/scikit_learn.py --data-dir DIR`.

Both fit the same rows with the same settings and no dropout, each in a process of its own, woken
in turn while the other sleeps.  Told are the median ratio of the times, and the mean test scores of
five seeds.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import Prepared, compare
from rich.console import Console
from rich.table import Table
from sklearn import neural_network
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import thinnet
from thinnet.datasets import fashion_mnist
from thinnet.tables.reading import read_table

SEEDS = range(5)
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
    "california": california,
    "fashion-mnist": fashion,
}


@dataclass(frozen=True)
class Fit:
    name: str
    dtype: str
    folder: Path | None

    def data(self) -> tuple[Any, ...]:
        X_train, X_test, y_train, y_test, kind = PROBLEMS[self.name](self.folder)
        return X_train.astype(self.dtype), X_test.astype(self.dtype), y_train, y_test, kind


def _prepared(library: Any, problem: Fit) -> Prepared:
    """Fits with one seed are timed; the score is that of five."""
    warnings.simplefilter("ignore")
    X_train, X_test, y_train, y_test, kind = problem.data()
    make = getattr(library, kind)
    fits = [make(random_state=seed).fit(X_train, y_train) for seed in SEEDS]
    score = float(np.mean([model.score(X_test, y_test) for model in fits]))
    return Prepared(lambda: make(random_state=0).fit(X_train, y_train), check=score)


def ours(problem: Fit) -> Prepared:
    return _prepared(thinnet, problem)


def theirs(problem: Fit) -> Prepared:
    return _prepared(neural_network, problem)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="folder with tables/ and fashion-mnist/")
    parser.add_argument("--only", choices=PROBLEMS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    settings = parser.parse_args()
    table, results = Table("data", "type", "times as fast", "score", "theirs"), {}
    for name in PROBLEMS:
        has_rows = name == "digits" or settings.data_dir is not None
        if not has_rows or settings.only not in (None, name):
            continue
        for dtype in ("float32", "float64"):
            systems = {"thinnet": ours, "scikit-learn": theirs}
            fit = Fit(name, dtype, settings.data_dir)
            found = compare(systems, fit, settings.rounds, AGREE[dtype])
            ratio = found.ratio("scikit-learn")
            results[f"{name} {dtype}"] = {"seconds": found.seconds, "scores": found.checks}
            scores = [f"{found.checks[system]:.5f}" for system in systems]
            table.add_row(name, dtype, f"{ratio:.2f}", *scores)
        if settings.json:
            settings.json.write_text(json.dumps(results, indent=1))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
