"""Rows of data that are mostly zeros: SciPy's sparse matrices, by rows (CSR)."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array


def is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr")


def dense(values: Any) -> Array:
    """The rows as an array, sparse or not."""
    return values.toarray() if is_sparse(values) else values


def data_rows(name: str, values: Any) -> Any:
    """Numbers of at least one row: an array, or a CSR matrix that shares memory where it can."""
    if not is_sparse(values):
        return checks.numeric(name, values)
    if values.ndim != 2 or not min(values.shape) or values.dtype.kind not in "fiub":
        raise ValueError(
            f"{name} must be a sparse matrix of real numbers with rows and columns, got one of "
            f"shape {values.shape} and dtype {values.dtype}"
        )
    return values.tocsr()


def finite(name: str, rows: Any, dtype: Any) -> Any:
    """`rows`, if all of them are finite in `dtype`; else the first bad row and column."""
    if not is_sparse(rows):
        return checks.finite(name, rows, dtype)
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(rows.data.astype(dtype, copy=False)))
    if bad.size:
        i = int(bad[0])
        row = int(np.searchsorted(rows.indptr, i, side="right")) - 1
        raise ValueError(
            f"{name} must be finite, got {rows.data[i]} in row {row}, column {rows.indices[i]}"
        )
    return rows


def pieces(rows: Any) -> tuple[Array, ...]:
    """The arrays that the rows consist of."""
    return (rows.data, rows.indices, rows.indptr) if is_sparse(rows) else (rows,)
