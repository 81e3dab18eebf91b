"""Texts as counts of their parts, under numbers instead of a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from thinnet.arrays import Array


class HashedText(HashingVectorizer):
    """scikit-learn's HashingVectorizer, which names its features too.

    Examples
    --------
    >>> HashedText(n_features=2).get_feature_names_out(["note"])
    array(['note #0', 'note #1'], dtype=object)
    """

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Feature names: the column and a number."""
        name = "text" if input_features is None else str(np.atleast_1d(input_features)[0])
        return np.array([f"{name} #{i}" for i in range(self.n_features)], object)
