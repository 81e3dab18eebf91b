"""Whatever a table comes as, as a data frame of pandas with checked names."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from thinnet.checks import must, quoted
from thinnet.tables.reading.cells import Frame


def as_frame(X: Any, estimator: Any, *, first: bool) -> Frame:
    """`X` as a frame; an estimator remembers the columns of the first, and checks the others.

    A frame's columns go by their names, in any order; an array's by their places.

    Raises
    ------
    ValueError
        If X is no table, a name stands twice or holds a NUL character, or the number of an array's
        columns has changed.
    """
    import pandas as pd
    from sklearn.utils.validation import _check_feature_names, _check_n_features

    frame = frame_of(X)
    if not len(frame):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required."
        )
    if not frame.shape[1]:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={frame.shape}) while a minimum of 1 is required."
        )
    if first:
        _check_feature_names(estimator, X, reset=True)
        _check_n_features(estimator, frame, reset=True)
        estimator.names_in_ = np.array(frame.columns, object)
    elif not isinstance(X, pd.DataFrame) and not hasattr(X, "to_pandas"):
        _check_n_features(estimator, frame, reset=False)
        frame.columns = estimator.names_in_
    return frame


def frame_of(X: Any) -> Frame:
    """A table of any library, or an array, as a frame of pandas whose names are texts.

    Raises
    ------
    ValueError
        If X is no table, a name stands twice, or there is a NUL character in one.
    """
    import pandas as pd

    X = collected(X)
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    if isinstance(X, pd.DataFrame):
        return _named(X)
    return pd.DataFrame(_array(X)).rename(columns=lambda i: f"x{i}")


def collected(X: Any) -> Any:
    """A frame of polars that is not computed yet, computed; all else as it is."""
    return X.collect() if type(X).__name__ == "LazyFrame" else X


def _named(frame: Frame) -> Frame:
    """With texts for names, each of which stands once; in none is the character that ends texts."""
    names = list(frame.columns)
    if len(set(names)) == len(names) and all(type(n) is str and "\0" not in n for n in names):
        return frame
    names = list(map(str, names))
    for name, n in Counter(names).items():
        if n > 1:
            raise ValueError(
                f"column {quoted(name)} must stand once in the table, got it {n} times"
            )
        must("\0" not in name, "the name of a column", "a text without NUL", name)
    return frame.set_axis(names, axis=1)


def _array(X: Any) -> Any:
    from sklearn.utils import check_array

    return check_array(
        X, dtype=None, ensure_all_finite=False, ensure_min_samples=0, ensure_min_features=0
    )
