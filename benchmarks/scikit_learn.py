"""Our MLPs beside scikit-learn's: `python benchmarks/scikit_learn.py --data-dir DIR`.

Both fit the same rows with the same settings, no dropout, in turn and in one process, with five
seeds; what is told is the median ratio of the times, and the mean test scores.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
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
    "digits": (digits, 3.0),
    "california": (california, 3.0),
    "fashion-mnist": (fashion, 2.0),
}


def measure(data: tuple[Any, ...], dtype: str) -> dict[str, list[float]]:
    X_train, X_test, y_train, y_test, kind = data
    X_train, X_test = X_train.astype(dtype), X_test.astype(dtype)
    found: dict[str, list[float]] = {}
    makers = {"thinnet": getattr(thinnet, kind), "scikit-learn": getattr(neural_network, kind)}
    makers["thinnet"](max_iter=2).fit(X_train, y_train)  # compiles, where nothing is compiled yet
    for seed in SEEDS:
        for name, make in makers.items():
            start = time.perf_counter()
            model = make(random_state=seed).fit(X_train, y_train)
            found.setdefault(f"{name} seconds", []).append(time.perf_counter() - start)
            found.setdefault(f"{name} score", []).append(model.score(X_test, y_test))
            found.setdefault(f"{name} epochs", []).append(model.n_iter_)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="folder with tables/ and fashion-mnist/")
    parser.add_argument("--only", choices=PROBLEMS)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    table, results = Table("data", "type", "times as fast", "to reach", "score", "theirs"), {}
    for name, (load, at_least) in PROBLEMS.items():
        if (asked.only and name != asked.only) or (asked.data_dir is None and name != "digits"):
            continue
        for dtype in ("float32", "float64"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = results[f"{name} {dtype}"] = measure(load(asked.data_dir), dtype)
            ratio = np.divide(found["scikit-learn seconds"], found["thinnet seconds"])
            scores = [
                f"{np.mean(found[f'{who} score']):.5f}" for who in ("thinnet", "scikit-learn")
            ]
            table.add_row(name, dtype, f"{np.median(ratio):.2f}", f"{at_least:g}", *scores)
            print(name, dtype, ratio.round(2), scores, flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(results, indent=1))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
