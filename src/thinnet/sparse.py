"""Rows of data that are mostly zeros: SciPy's sparse matrices, taken apart at the border.

SciPy's constructors check little, and its conversions are compiled code that checks nothing: a
matrix whose column numbers or row ends are wrong makes it, and our own compiled code, leave their
memory.  So the parts of a matrix are copied and checked by NumPy before anything else is done with
it.  What comes out is ours: by rows (CSR), each place once and in order, native, with column
numbers and row ends that nobody else can change.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array

MOST: Final = 2**31 - 1  # the largest column number or row end in 32 bits


class Parts(NamedTuple):
    """The entries of a matrix: their values and their places."""

    values: Array
    rows: Array
    columns: Array


def is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr")


def dense(values: Any) -> Any:
    """The rows as an array, whether they are sparse or not."""
    return values.toarray() if is_sparse(values) else values


def data_rows(name: str, values: Any) -> Any:
    """`values` as numbers in at least one row: an array, or sparse rows of our own."""
    if not is_sparse(values):
        return checks.numeric(name, values)
    rows = own_rows(name, values)
    _must(min(rows.shape) > 0, name, "rows and columns", f"one of shape {rows.shape}")
    return rows


def own_rows(name: str, values: Any) -> Any:
    """Sparse rows of our own for a matrix of any form; anything else as it is.

    The matrix is left alone; the values of its entries are shared where they can be.

    Raises
    ------
    ValueError
        If it doesn't have two axes and real numbers, or its parts don't fit together.
    """
    if not is_sparse(values) or isinstance(values, _kind()):
        return values
    if not hasattr(values, "format"):
        values = values.tocsr()  # a matrix of another library, which converts it itself
    shape = _shape(name, values)
    if values.format == "csr":
        return _from_rows(name, values, shape)
    _must(values.format in READERS, name, f"the format csr, {', '.join(READERS)}", values.format)
    return _built(READERS[values.format](name, values, shape), shape)


@cache
def _kind() -> Any:
    """The class of our own rows, made with the first sparse matrix because SciPy imports slowly."""
    from scipy.sparse import csr_array

    return type("OwnRows", (csr_array,), {"__doc__": "Rows whose parts have been checked."})


def _built(parts: Parts, shape: tuple[int, int]) -> Any:
    """The matrix, built by SciPy's own code, which is safe with checked parts."""
    from scipy.sparse import csr_array

    rows = csr_array((parts.values, (parts.rows, parts.columns)), shape=shape)
    return _own(rows.data, rows.indices, rows.indptr, shape)


def _own(values: Array, columns: Array, ends: Array, shape: tuple[int, int]) -> Any:
    rows = _kind()((values, columns, ends), shape=shape)
    rows.has_canonical_format = True
    for part in (rows.indices, rows.indptr):
        part.flags.writeable = False
    return rows


def _from_rows(name: str, matrix: Any, shape: tuple[int, int]) -> Any:
    values = _values(name, matrix.data)
    ends, columns = _compressed(name, matrix, shape, len(values))
    values, rising = values[: len(columns)], np.diff(columns) > 0
    borders = ends[1:-1][(ends[1:-1] > 0) & (ends[1:-1] < len(columns))]
    rising[borders - 1] = True
    if rising.all():
        return _own(values, columns, ends, shape)
    return _built(Parts(values, _numbers_of(ends), columns), shape)


def _numbers_of(ends: Array) -> Array:
    """The number of the row (or column, or row of blocks) of each entry."""
    return np.repeat(np.arange(len(ends) - 1, dtype=ends.dtype), np.diff(ends))


def _compressed(name: str, matrix: Any, shape: tuple[int, int], n: int) -> tuple[Array, Array]:
    """The checked row ends and column numbers; `shape` has the compressed axis first."""
    places = _integers(name, "indices", matrix.indices)
    ends = _integers(name, "indptr", matrix.indptr)
    axis = f"an indptr of {shape[0] + 1} numbers from 0 that never falls, to the last entry"
    _must(len(ends) == shape[0] + 1, name, axis, f"{len(ends)} numbers")
    _must(ends[0] == 0, name, axis, f"one from {ends[0]}")
    falls = np.flatnonzero(ends[1:] < ends[:-1])
    _must(not falls.size, name, axis, f"one that falls at {falls[:1]}")
    there = min(n, len(places))
    _must(ends[-1] <= there, name, axis, f"one to {ends[-1]} for {there} entries")
    places = _inside(name, "indices", places[: ends[-1]], shape[1])
    fitting = _index_type(len(places), shape)
    return ends.astype(fitting, copy=False), places.astype(fitting, copy=False)


def _by_columns(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    values = _values(name, matrix.data)
    ends, rows = _compressed(name, matrix, shape[::-1], len(values))
    return Parts(values[: len(rows)], rows, _numbers_of(ends))


def _by_blocks(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    values = _values(name, matrix.data, axes=3)
    n, high, wide = values.shape
    fits = high > 0 and wide > 0 and shape[0] % high == 0 and shape[1] % wide == 0
    _must(fits, name, f"blocks that {shape} can be cut into", f"blocks of {(high, wide)}")
    ends, places = _compressed(name, matrix, (shape[0] // high, shape[1] // wide), n)
    rows = (_numbers_of(ends).astype(np.int64) * high)[:, None, None] + np.arange(high)[:, None]
    columns = (places.astype(np.int64) * wide)[:, None, None] + np.arange(wide)
    values = values[: len(places)]
    rows, columns = (np.broadcast_to(a, values.shape).ravel() for a in (rows, columns))
    return Parts(values.ravel(), rows, columns)


def _by_places(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    return _parts(name, _values(name, matrix.data), matrix.row, matrix.col, shape)


def _parts(name: str, values: Array, rows: Any, columns: Any, shape: tuple[int, int]) -> Parts:
    """The entries of a matrix that stores the row and the column of each."""
    places = [
        _inside(name, what, _integers(name, what, numbers), size)
        for what, numbers, size in zip(("row", "col"), (rows, columns), shape, strict=True)
    ]
    lengths = [len(values), *map(len, places)]
    _must(len(set(lengths)) == 1, name, "as many rows and columns as values", f"{lengths}")
    fitting = _index_type(len(values), shape)
    return Parts(values, *(numbers.astype(fitting, copy=False) for numbers in places))


def _by_diagonals(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    values = _values(name, matrix.data, axes=2)
    offsets = _integers(name, "offsets", matrix.offsets)
    _must(len(offsets) == len(values), name, "an offset for each diagonal", f"{len(offsets)}")
    there = (offsets > -shape[0]) & (offsets < shape[1])
    values, offsets = values[there, : shape[1]], offsets[there].astype(np.int64)
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    rows = columns - offsets[:, None]
    inside = (rows >= 0) & (rows < shape[0])
    return Parts(values[inside], rows[inside], columns[inside])


def _by_lists(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    of_rows, values = list(matrix.rows), list(matrix.data)
    lengths = [[len(each) for each in lists] for lists in (of_rows, values)]
    fits = lengths[0] == lengths[1] and len(of_rows) == shape[0]
    _must(fits, name, "lists of columns and values of the same lengths", "others")
    columns = np.array(list(chain.from_iterable(of_rows)) or np.zeros(0, int))
    rows = np.repeat(np.arange(shape[0]), lengths[0])
    flat = np.array(list(chain.from_iterable(values)), matrix.dtype)
    return _parts(name, _values(name, flat), rows, columns, shape)


def _by_keys(name: str, matrix: Any, shape: tuple[int, int]) -> Parts:
    keys, values = [*matrix.keys()], np.array([*matrix.values()], matrix.dtype)
    places = np.array(keys or np.zeros((0, 2), int))
    _must(places.ndim == 2 and places.shape[1] == 2, name, "pairs for keys", "others")
    return _parts(name, _values(name, values), places[:, 0], places[:, 1], shape)


READERS: Final = {
    "csc": _by_columns,
    "bsr": _by_blocks,
    "coo": _by_places,
    "dia": _by_diagonals,
    "lil": _by_lists,
    "dok": _by_keys,
}


def _must(ok: bool | np.bool_, name: str, wanted: str, got: str) -> None:
    if not ok:
        raise ValueError(f"{name} must be a sparse matrix with {wanted}, got {got}")


def _shape(name: str, matrix: Any) -> tuple[int, int]:
    shape = tuple(matrix.shape)
    dtype = getattr(matrix, "dtype", None)  # the type of its data, which may be a list
    dtype = np.asarray(matrix.data).dtype if dtype is None else dtype
    real = dtype.kind in "fiub"
    fits = real and len(shape) == 2 and all(checks.is_integer(n) and n >= 0 for n in shape)
    if not fits:
        raise ValueError(
            f"{name} must be a sparse matrix of real numbers with rows and columns, got one of "
            f"shape {shape} and dtype {dtype}"
        )
    return int(shape[0]), int(shape[1])


def _values(name: str, values: Any, axes: int = 1) -> Array:
    """`values` in native byte order, contiguous, of a type that SciPy's code takes."""
    given = np.asarray(values)
    real = given.dtype.kind in "fiub" and given.ndim == axes
    _must(real, name, f"real numbers along {axes} axes", f"{given.dtype} of shape {given.shape}")
    wanted = np.float32 if given.dtype == np.float16 else given.dtype.newbyteorder("=")
    return np.require(given, wanted, ["C", "A"])


def _integers(name: str, what: str, numbers: Any) -> Array:
    """A copy of integers, so that nobody can change them after they are checked."""
    given = np.asarray(numbers)
    fits = given.dtype.kind in "iu" and given.ndim == 1
    _must(fits, name, f"integers as {what}", f"{given.dtype} of shape {given.shape}")
    return np.array(given, given.dtype.newbyteorder("="), order="C")


def _inside(name: str, what: str, places: Array, size: int) -> Array:
    outside = places[(places < 0) | (places >= size)]
    _must(not outside.size, name, f"{what} from 0 to {size - 1}", f"{outside[:1]}")
    return places


def _index_type(entries: int, shape: tuple[int, int]) -> Any:
    return np.int32 if max(entries, *shape) <= MOST else np.int64


def finite(name: str, rows: Any, dtype: Any) -> Any:
    """`rows`, if all are finite in `dtype`; else ValueError with the first bad place."""
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
