"""Categories as codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import OneToOneFeatureMixin
from sklearn.preprocessing import OneHotEncoder

from thinnet.arrays import Array


class Codes(OneHotEncoder):
    """The number of the feature that `OneHotEncoder` would set, from 1 on; 0 where it sets none.

    Examples
    --------
    >>> coder = Codes(handle_unknown="ignore").fit([["Bonn"], ["Ulm"]])
    >>> coder.transform([["Ulm"], ["Bonn"], ["Rom"]])[:, 0]
    array([2., 1., 0.], dtype=float32)
    """

    def transform(self, X: Any) -> Array:
        """Codes of float32, shape (rows, columns)."""
        with config_context(transform_output="default"):
            found = super().transform(X).tocoo()
        ends = np.cumsum(self.widths)
        column = np.searchsorted(ends, found.col, side="right")
        codes = np.zeros((found.shape[0], len(ends)), np.float32)
        codes[found.row, column] = found.col - (ends - self.widths)[column] + 1
        return codes

    @property
    def widths(self) -> Array:
        """How many codes above 0 each column has."""
        rare = getattr(self, "infrequent_categories_", [None] * len(self.categories_))
        pairs = zip(self.categories_, rare, strict=True)
        return np.array([len(a) if few is None else len(a) - len(few) + 1 for a, few in pairs])

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The names of the columns."""
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)
