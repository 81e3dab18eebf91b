"""The systems, each with its defaults, on two threads (BENCHMARK_THREADS).

The rivals get a table as a careful user of theirs gives it: dates as days, texts as categories,
names that are another one in each row left out, and where numbers must be complete the median in
their holes.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import pandas as pd

THREADS: Final = int(os.environ.get("BENCHMARK_THREADS", "2"))  # losses do not depend on it
MISSING: Final = "missing"


class Columns:
    """What becomes of a table's columns, as learned from the rows of training."""

    def __init__(self, X: pd.DataFrame, *, most: int | None, complete: bool) -> None:
        self._complete, self._kinds = complete, dict[str, pd.CategoricalDtype]()
        self._medians = dict[str, float]()
        self._names = [c for c in X if not self._is_a_name(X[c])]
        for name in self._names:
            if _is_text(X[name]):
                counts = _texts(X[name]).value_counts()
                self._kinds[name] = pd.CategoricalDtype(sorted(counts.index[:most]))
            else:
                self._medians[name] = float(_numbers(X[name]).median())

    @staticmethod
    def _is_a_name(cells: pd.Series) -> bool:
        return _is_text(cells) and cells.nunique() == len(cells)

    def __call__(self, X: pd.DataFrame) -> pd.DataFrame:
        """Categories beyond the `most` frequent, and unseen ones, are missing."""
        parts = {f"c{i}": self._part(name, X[name]) for i, name in enumerate(self._names)}
        return pd.DataFrame(parts, index=X.index)

    def _part(self, name: str, cells: pd.Series) -> pd.Series:
        if name in self._kinds:
            texts, kind = _texts(cells), self._kinds[name]
            return texts.where(texts.isin(kind.categories), None).astype(kind)
        numbers = _numbers(cells)
        return numbers.fillna(self._medians[name]) if self._complete else numbers


def _is_text(cells: pd.Series) -> bool:
    kinds = pd.api.types
    return not (kinds.is_numeric_dtype(cells) or kinds.is_datetime64_any_dtype(cells))


def _texts(cells: pd.Series) -> pd.Series:
    return cells.astype(str).where(cells.notna(), MISSING).astype(object)


def _numbers(cells: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return (cells - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    return cells.astype(np.float64)


class Peer(ABC):
    """A rival's model behind `fit`, `predict` and `predict_proba` of a raw table."""

    package: str
    most: int | None = None  # categories of a column that it takes
    complete = False  # needs a number in each cell

    def __init__(self, is_regression: bool) -> None:
        self.is_regression = is_regression

    @abstractmethod
    def model(self, X: pd.DataFrame) -> Any:
        """A model for tables with the columns of `X`."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Peer:
        self._columns = Columns(X, most=self.most, complete=self.complete)
        table = self._table(X)
        self._model = self.model(table).fit(table, y)
        return self

    def _table(self, X: pd.DataFrame) -> pd.DataFrame:
        return self._columns(X)

    @property
    def classes_(self) -> np.ndarray:
        return self._model.classes_

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.ravel(self._model.predict(self._table(X)))

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self._model.predict_proba(self._table(X))


class Boosting(Peer):
    package, most = "scikit-learn", 255

    def model(self, X: pd.DataFrame) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kinds = HistGradientBoostingClassifier, HistGradientBoostingRegressor
        return kinds[self.is_regression](categorical_features="from_dtype", random_state=0)


class LightGBM(Peer):
    package = "lightgbm"

    def model(self, X: pd.DataFrame) -> Any:
        from lightgbm import LGBMClassifier, LGBMRegressor

        kinds = LGBMClassifier, LGBMRegressor
        return kinds[self.is_regression](random_state=0, n_jobs=THREADS, verbose=-1)


class CatBoost(Peer):
    package = "catboost"

    def model(self, X: pd.DataFrame) -> Any:
        from catboost import CatBoostClassifier, CatBoostRegressor

        settings = {"thread_count": THREADS, "verbose": False, "allow_writing_files": False}
        kinds = CatBoostClassifier, CatBoostRegressor
        words = [name for name in X if pd.api.types.is_object_dtype(X[name])]
        return kinds[self.is_regression](cat_features=words, random_seed=0, **settings)

    def _table(self, X: pd.DataFrame) -> pd.DataFrame:
        """It takes texts, and no holes among them."""
        table = super()._table(X)
        words = table.columns[table.dtypes == "category"]
        return table.astype(dict.fromkeys(words, object)).fillna(dict.fromkeys(words, MISSING))


class ScikitMLP(Peer):
    """Standardised numbers, categories one by one, a standardised target."""

    package, complete = "scikit-learn", True

    def model(self, X: pd.DataFrame) -> Any:
        from sklearn.compose import TransformedTargetRegressor, make_column_transformer
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        words = list(X.columns[X.dtypes == "category"])
        encoder = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder=StandardScaler()
        )
        kind = MLPRegressor if self.is_regression else MLPClassifier
        chain = make_pipeline(encoder, kind(random_state=0))
        if not self.is_regression:
            return chain
        return TransformedTargetRegressor(chain, transformer=StandardScaler(), check_inverse=False)


class _Pytabkit(Peer):
    package, complete = "pytabkit", True
    kinds: tuple[str, str]

    def model(self, X: pd.DataFrame) -> Any:
        from pytabkit.models.sklearn import sklearn_interfaces

        kind = getattr(sklearn_interfaces, self.kinds[self.is_regression])
        return kind(device="cpu", n_threads=THREADS, random_state=0)


class RealMLP(_Pytabkit):
    kinds = "RealMLP_TD_Classifier", "RealMLP_TD_Regressor"


class TabM(_Pytabkit):
    kinds = "TabM_D_Classifier", "TabM_D_Regressor"


def _ours(**settings: Any) -> Callable[[bool], Any]:
    def make(is_regression: bool) -> Any:
        from thinnet import TableClassifier, TableRegressor

        kinds = TableClassifier, TableRegressor
        return kinds[is_regression](random_state=0, n_threads=THREADS, **settings)

    return make


OURS: Final = "thinnet"
SYSTEMS: Final[dict[str, Callable[[bool], Any]]] = {
    OURS: _ours(),
    "HistGradientBoosting": Boosting,
    "LightGBM": LightGBM,
    "CatBoost": CatBoost,
    "scikit-learn's MLP": ScikitMLP,
    "RealMLP-TD": RealMLP,
    "TabM-D": TabM,
}
BESIDE: Final = {"thinnet, high effort": _ours(effort="high")}  # shown, but in no rank


def versions(system: str) -> str:
    """The package of a system with its version."""
    kind = {**SYSTEMS, **BESIDE}[system]
    package = getattr(kind, "package", OURS)
    return f"{package} {version(package)}"
