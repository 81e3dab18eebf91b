"""Fixed periodic features in the place of piecewise linear ones, to be compared with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer

from thinnet import TableEncoder
from thinnet.tables.columns.parts import ColumnPart

N_FREQUENCIES = 16


class Periodic(TransformerMixin, BaseEstimator):
    """``sin(2 pi c x), cos(2 pi c x)`` with frequencies c drawn once from N(0, scale^2).

    Gorishniy et al. 2022, section 3.3, learn the frequencies from such a start.
    """

    def __init__(self, scale: float = 0.3) -> None:
        self.scale = scale

    def fit(self, X: Any, y: Any = None) -> Periodic:
        drawn = np.random.default_rng(0)
        self.frequencies_ = drawn.normal(0, self.scale, (X.shape[1], N_FREQUENCIES))
        return self

    def transform(self, X: Any) -> np.ndarray:
        turns = (2 * np.pi * np.asarray(X)[:, :, None] * self.frequencies_).reshape(len(X), -1)
        return np.hstack([np.sin(turns), np.cos(turns)])

    def get_feature_names_out(self, names: Any = None) -> np.ndarray:
        return np.array([f"turn {i}" for i in range(2 * self.frequencies_.size)], object)


class PeriodicEncoder(TableEncoder):
    def _parts(self, ready: Any, has_target: bool) -> list[ColumnPart]:
        found = super()._parts(ready, has_target)
        quantiles = QuantileTransformer(
            n_quantiles=min(1000, len(ready)), output_distribution="normal", random_state=0
        )
        fill = SimpleImputer(strategy="median", keep_empty_features=True)
        steps = Pipeline([("fill", fill), ("quantile", quantiles), ("turn", Periodic())])
        return [
            part._replace(transformer=steps) if part.name == "piece" else part for part in found
        ]
