"""Where rows of data lie, in the form that compiled code reads them from; the data is not copied."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array, Ids
from thinnet.engine.kernels.gather import CODES
from thinnet.engine.tables import Data

NO_INTEGERS = np.zeros(0, np.int64)
NO_NUMBERS = np.zeros(0)
NO_TARGETS = np.zeros((1, 0))


class Source(NamedTuple):
    """Eight integers (`kernels.gather`), the starts of sparse rows, and who owns the memory."""

    place: Array
    starts: Array
    owners: tuple[Array, ...]


def source(X: Any, dtype: np.dtype) -> Source:
    if hasattr(X, "tocsr"):
        return _sparse(X)
    if X.dtype not in CODES:
        X = X.astype(dtype)
    flat = X.reshape(len(X), math.prod(X.shape[1:]))  # a view, where rows lie in one piece
    place = [flat.ctypes.data, flat.strides[0], flat.strides[1], CODES[flat.dtype], 0, 0, 0, 0]
    return Source(np.array(place, np.int64), NO_INTEGERS, (flat,))


def _sparse(X: Any) -> Source:
    values, columns = X.data, X.indices
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    place = [values.ctypes.data, 0, 0, CODES[values.dtype]]
    place += [columns.ctypes.data, columns.itemsize, 0, 0]
    return Source(np.array(place, np.int64), X.indptr.astype(np.int64), (values, columns))


def training_data(
    found: Source, targets: Array, weights: Array | None, ids: Ids, order: Array
) -> Data:
    labels, real = NO_INTEGERS, NO_TARGETS
    if targets.ndim == 1:
        labels = targets.astype(np.int64, copy=False)
    else:
        real = targets.reshape(len(targets), -1).astype(np.float64, copy=False)
    return Data(
        source=found.place,
        starts=found.starts,
        labels=labels,
        targets=np.ascontiguousarray(real),
        weights=NO_NUMBERS if weights is None else weights,
        ids=ids,
        order=order,
    )


def prediction_data(found: Source, ids: Ids) -> Data:
    return Data(found.place, found.starts, NO_INTEGERS, NO_TARGETS, NO_NUMBERS, ids, NO_INTEGERS)
