"""Where rows of data lie, in the form that compiled code reads; the data is not copied."""

from __future__ import annotations

import math
from typing import Protocol, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.engine.kernels.gather import CODES


class SparseRows(Protocol):
    """A CSR matrix that has been checked (`thinnet.sparse`)."""

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]
    has_canonical_format: bool  # is each place there once, and in order?


Data: TypeAlias = Array | SparseRows


def of_rows(X: Data, dtype: np.dtype) -> dict[str, Array | None]:
    """`source` and `starts` of the rows of X, and the arrays that they point into."""
    if not isinstance(X, Array):
        return _sparse(X)
    place = no_rows()
    return {"source": place, "starts": None, "X": write_rows(X, dtype, place)}


def no_rows() -> Array:
    """Room for the `source` of rows."""
    return np.zeros(8, np.int64)


def write_rows(X: Array, dtype: np.dtype, place: Array) -> Array:
    """Write to `place` where the rows lie; they are returned, to be kept as long as it is read."""
    if X.dtype not in CODES:
        X = X.astype(dtype)
    if X.ndim != 2:
        X = X.reshape(len(X), math.prod(X.shape[1:]))  # a view, where rows lie in one piece
    place[:4] = X.__array_interface__["data"][0], *X.strides, CODES[X.dtype]
    return X


def _sparse(X: SparseRows) -> dict[str, Array | None]:
    values, columns = X.data, X.indices
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    place = [values.ctypes.data, 0, 0, CODES[values.dtype]]
    place += [columns.ctypes.data, columns.itemsize, 0, 0]
    starts = X.indptr.astype(np.int64)
    return {"source": np.array(place, np.int64), "starts": starts, "X": values, "columns": columns}


def of_targets(y: Array) -> dict[str, Array | None]:
    """Labels, or real targets in float64."""
    if y.ndim == 1:
        return {"labels": y.astype(np.int64, copy=False), "targets": None}
    real = np.ascontiguousarray(y.reshape(len(y), -1), np.float64)
    return {"labels": None, "targets": real}
