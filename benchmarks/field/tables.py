"""The thirty tables, their folds, and the third of them that nothing was chosen on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold

from thinnet.tables.reading import read_table

FOLDS: Final = 5
# Named before the first measurement.  The nine on which earlier defaults were chosen are not here.
KEPT_APART: Final = (
    "abalone", "attrition", "credit-g", "eucalyptus", "higgs", "lending-club", "mpg", "sonar",
    "uci-concrete", "uci-yacht",
)  # fmt: skip


class Source(NamedTuple):
    """A file, its target, columns that repeat the target, and whether the target is a number."""

    file: str
    target: str
    repeats: tuple[str, ...]
    is_regression: bool


FILES: Final = {
    "adult": Source("adult-train.csv", "14", (), False),
    "california": Source("california-housing.csv", "median_house_value", (), True),
    "penguins": Source("penguins.csv", "species", (), False),
    "titanic": Source("titanic.csv", "survived", ("alive",), False),
}
REPEATS: Final = {"bike-sharing": ("casual", "registered")}  # they add up to the target
BUNDLED: Final[dict[str, tuple[Callable[..., Any], bool]]] = {
    "diabetes": (datasets.load_diabetes, True),
    "digits": (datasets.load_digits, False),
    "iris": (datasets.load_iris, False),
    "wine": (datasets.load_wine, False),
}
UCI: Final = ("concrete", "energy", "wine-quality-red", "yacht")


class Problem(NamedTuple):
    """A table, its targets (labels are texts), and whether they are numbers."""

    X: pd.DataFrame
    y: np.ndarray
    is_regression: bool

    def folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Places of rows to learn from, and of rows to measure on."""
        kind = KFold if self.is_regression else StratifiedKFold
        yield from kind(FOLDS, shuffle=True, random_state=0).split(self.X, self.y)


def names(folder: Path) -> list[str]:
    """All thirty, in alphabetical order."""
    return sorted([*_more(folder), *FILES, *BUNDLED, *(f"uci-{name}" for name in UCI)])


def problem(name: str, folder: Path) -> Problem:
    """The table of that name; `folder` holds tables, tables-more and uci-regression."""
    if name in BUNDLED:
        load, is_regression = BUNDLED[name]
        bunch = load(as_frame=True)
        return _problem(bunch.data, bunch.target, is_regression)
    if name.startswith("uci-"):
        return _uci(folder / "uci-regression" / name.removeprefix("uci-"))
    source = FILES.get(name) or _more(folder)[name]
    file = folder / ("tables" if name in FILES else "tables-more") / source.file
    frame, _ = read_table(file)
    frame = frame[frame[source.target].notna()].drop(columns=list(source.repeats))
    return _problem(frame.drop(columns=source.target), frame[source.target], source.is_regression)


def _problem(X: pd.DataFrame, y: pd.Series, is_regression: bool) -> Problem:
    targets = y.to_numpy(np.float64) if is_regression else y.to_numpy().astype(str)
    return Problem(X.reset_index(drop=True), targets, is_regression)


def _more(folder: Path) -> dict[str, Source]:
    known = json.loads((folder / "tables-more" / "targets.json").read_text())
    return {
        name: Source(
            f"{name}.csv", each["target"], REPEATS.get(name, ()), each["task"] == "regression"
        )
        for name, each in known.items()
    }


def _uci(folder: Path) -> Problem:
    data = np.loadtxt(folder / "data.txt")
    features, target = (
        np.loadtxt(folder / f"index_{part}.txt").astype(int) for part in ("features", "target")
    )
    columns = [f"x{i}" for i in range(len(features))]
    X = pd.DataFrame(data[:, features], columns=columns)
    return _problem(X, pd.Series(data[:, int(target)]), True)
