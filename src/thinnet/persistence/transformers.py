"""Checks that the parts of scikit-learn's transformers from a file fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator

from thinnet.arrays import Array


def finish_one_hot(encoder: Any) -> None:
    """ValueError if a column of the output would lie outside the sparse matrix.

    SciPy doesn't check that and would write outside the matrix's memory.
    """
    widths = [_width(encoder, i) for i in range(len(encoder.categories_))]
    drop = encoder._drop_idx_after_grouping
    dropped = [None] * len(widths) if drop is None else drop.tolist()
    pairs = list(zip(widths, dropped, strict=True))
    fits = all(place is None or 0 <= place < width for width, place in pairs)
    columns = [width - (place is not None) for width, place in pairs]
    if not fits or encoder._n_features_outs != columns:
        raise ValueError("the columns of a OneHotEncoder must fit its categories, got others")


def _width(encoder: Any, i: int) -> int:
    """The number of columns of feature `i` before one is dropped."""
    categories = encoder.categories_[i]
    _check_sorted(categories)
    rare: Any = None
    to_column: Any = None
    if encoder._infrequent_enabled:
        rare = encoder._infrequent_indices[i]
        to_column = encoder._default_to_infrequent_mappings[i]
    if rare is None and to_column is None:
        return len(categories)
    width = len(categories) - len(rare) + 1
    if to_column.dtype.kind != "i" or to_column.min() < 0 or to_column.max() >= width:
        raise ValueError("the rare categories of a OneHotEncoder must fit the others, got others")
    return width


def _check_sorted(categories: Array) -> None:
    """ValueError unless numbers ascend, as the bisection that looks them up needs."""
    by_bisection = categories.dtype.kind in "biuf"
    if by_bisection and not np.array_equal(categories, np.unique(categories), equal_nan=True):
        raise ValueError("the categories of a OneHotEncoder must be sorted, got others")


def finish_imputer(imputer: Any) -> None:
    """ValueError if an indicator of holes is asked for and not there."""
    if imputer.add_indicator and not isinstance(imputer.indicator_, MissingIndicator):
        raise ValueError("a SimpleImputer with add_indicator must have its indicator, got none")


def without_function(transformer: Any) -> None:
    """ValueError for a FunctionTransformer that calls a function."""
    if transformer.func is not None or transformer.inverse_func is not None:
        raise ValueError("a FunctionTransformer must have func=None, got a function")
