"""Mixed tables by five-fold cross-validation: `python benchmarks/tables.py --data-dir DIR`.

Small tables are divided into folds anew several times, since one division says little.

thinnet's estimators of tables beside scikit-learn's MLP in a pipeline with the same columns (as it
is, and with early stopping), and beside its gradient boosting.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from periodic import PeriodicEncoder
from rich.console import Console
from rich.table import Table
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thinnet import TableClassifier, TableEncoder, TableRegressor
from thinnet.tables.reading import read_table

SMALL = 1000  # rows, below which one division into folds says little


class Problem(NamedTuple):
    X: pd.DataFrame
    y: np.ndarray
    is_regression: bool


# Each file: its name, the target's column, columns that repeat the target, numbers or classes.
FILES = {
    "titanic": ("titanic.csv", "survived", ["alive"], False),
    "penguins": ("penguins.csv", "species", [], False),
    "adult": ("adult-train.csv", "14", [], False),
    "california": ("california-housing.csv", "median_house_value", [], True),
}
BUNDLED = {
    "iris": (datasets.load_iris, False),
    "wine": (datasets.load_wine, False),
    "breast cancer": (datasets.load_breast_cancer, False),
    "digits": (datasets.load_digits, False),
    "diabetes": (datasets.load_diabetes, True),
}


def problem(name: str, folder: Path | None) -> Problem:
    if name in BUNDLED:
        load, is_regression = BUNDLED[name]
        bunch = load(as_frame=True)
        return Problem(bunch.data, bunch.target.to_numpy(), is_regression)
    file, target, repeats, is_regression = FILES[name]
    frame, _ = read_table(folder / file)
    frame = frame[frame[target].notna()].drop(columns=repeats)
    y = frame[target].to_numpy()
    return Problem(frame.drop(columns=target), y if is_regression else y.astype(str), is_regression)


def ours(is_regression: bool, **settings: Any) -> Any:
    return (TableRegressor if is_regression else TableClassifier)(random_state=0, **settings)


def theirs(is_regression: bool, **settings: Any) -> Any:
    """scikit-learn's MLP on the same columns."""
    if not is_regression:
        return make_pipeline(TableEncoder(), MLPClassifier(random_state=0, **settings))
    mlp = make_pipeline(TableEncoder(), MLPRegressor(random_state=0, **settings))
    return TransformedTargetRegressor(mlp, transformer=StandardScaler(), check_inverse=False)


class Boosting:
    """Gradient boosting, with the categories as it takes them."""

    def __init__(self, is_regression: bool) -> None:
        kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
        self.model = kind(categorical_features="from_dtype", random_state=0)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Boosting:
        words = [c for c in X if not pd.api.types.is_numeric_dtype(X[c])]
        self.kinds = {c: pd.CategoricalDtype(sorted(X[c].dropna().unique())) for c in words}
        self.model.fit(X.astype(self.kinds), y)
        self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict(X.astype(self.kinds))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(X.astype(self.kinds))


SYSTEMS: dict[str, Callable[[bool], Any]] = {
    "thinnet": ours,
    "scikit-learn's MLP": theirs,
    "the same, early stopping": lambda is_regression: theirs(is_regression, early_stopping=True),
    "HistGradientBoosting": Boosting,
}
VARIANTS: dict[str, Callable[[bool], Any]] = {
    "thinnet": ours,
    "fixed periodic features": lambda is_regression: ours(is_regression, encoder=PeriodicEncoder()),
    "one network": lambda is_regression: ours(is_regression, n_networks=1),
    "five networks": lambda is_regression: ours(is_regression, n_networks=5),
    "ten networks": lambda is_regression: ours(is_regression, n_networks=10),
}


def scores(given: Problem, model: Any, rows: np.ndarray) -> tuple[float, float]:
    """Log loss and accuracy, or the root of the mean squared error and R^2."""
    X, y = given.X.iloc[rows], given.y[rows]
    if given.is_regression:
        predicted = model.predict(X)
        return root_mean_squared_error(y, predicted), r2_score(y, predicted)
    p = np.clip(model.predict_proba(X), 1e-7, 1)
    labels = model.classes_
    loss = log_loss(y, p / p.sum(axis=1, keepdims=True), labels=labels)
    return loss, accuracy_score(y, labels[p.argmax(axis=1)])


def measure(given: Problem, make: Callable[[bool], Any], repeats: int) -> dict[str, Any]:
    kind = KFold if given.is_regression else StratifiedKFold
    start, found = time.perf_counter(), []
    for seed in range(repeats):
        for kept, held in kind(5, shuffle=True, random_state=seed).split(given.X, given.y):
            model = make(given.is_regression).fit(given.X.iloc[kept], given.y[kept])
            found.append(scores(given, model, held))
    seconds = (time.perf_counter() - start) / repeats
    return {"folds": found, "mean": np.mean(found, axis=0).tolist(), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="folder with the tables' files")
    parser.add_argument("--only", help="names of tables, between commas")
    parser.add_argument("--repeats", type=int, default=5, help="of tables below 1,000 rows")
    parser.add_argument("--variants", action="store_true", help="of thinnet, in place of rivals")
    parser.add_argument("--json", type=Path)
    settings = parser.parse_args()
    systems = VARIANTS if settings.variants else SYSTEMS
    names = [*BUNDLED, *(FILES if settings.data_dir else ())]
    names = settings.only.split(",") if settings.only else names
    table, results = Table("table", "figure", *systems), {}
    for name in names:
        given = problem(name, settings.data_dir)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            repeats = settings.repeats if len(given.y) < SMALL else 1
            results[name] = {s: measure(given, make, repeats) for s, make in systems.items()}
        figures = ("RMSE", "R^2") if given.is_regression else ("log loss", "accuracy")
        for i, figure in enumerate(figures):
            cells = [f"{results[name][system]['mean'][i]:.4g}" for system in systems]
            table.add_row(name if i == 0 else "", figure, *cells)
        cells = [f"{results[name][system]['seconds']:.1f}" for system in systems]
        table.add_row("", "seconds", *cells, end_section=True)
        if settings.json:
            settings.json.write_text(json.dumps(results, indent=1))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
