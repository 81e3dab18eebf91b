"""CSR matrices as SciPy makes them, as it lets people make them, and as nobody should.

What a matrix means is computed entry by entry from its lists, not by SciPy.
"""

import numpy as np
from forging import pick
from scipy import sparse
from sparse_forms import backwards, read_only, strided, swapped, unaligned

ROWS, COLUMNS = 40, 7


def matrix(rng, rows=ROWS):
    dense = rng.normal(size=(rows, COLUMNS)) * (rng.random((rows, COLUMNS)) < rng.random())
    return sparse.csr_matrix(dense)


def raw(data, indices, indptr, shape=(ROWS, COLUMNS)):
    """A CSR matrix as it is given, past all of SciPy's checks."""
    made = sparse.csr_matrix(shape)
    made.data, made.indices, made.indptr = data, indices, indptr
    return made


def wide(array):
    return array.astype(np.int64 if array.dtype.kind == "i" else np.longdouble)


def narrow(array):
    return array.astype(np.int16 if array.dtype.kind == "i" else np.float16)


LAYOUTS = [strided, backwards, swapped, unaligned, read_only, wide, narrow]


def layouts(rng, X):
    parts = [X.data, X.indices, X.indptr]
    for i in rng.permutation(3)[: rng.integers(1, 4)]:
        parts[i] = pick(rng, LAYOUTS)(parts[i])
    return raw(*parts)


def unsorted(rng, X):
    for start, stop in zip(X.indptr, X.indptr[1:], strict=False):
        order = start + rng.permutation(stop - start)
        X.data[start:stop], X.indices[start:stop] = X.data[order], X.indices[order]
    X.has_sorted_indices = bool(rng.random() < 0.5)  # or declared so
    return X


def duplicated(rng, X):
    indices = X.indices.copy()
    for start, stop in zip(X.indptr, X.indptr[1:], strict=False):
        indices[start:stop] = rng.integers(COLUMNS, size=stop - start)
    made = raw(X.data, indices, X.indptr)
    if rng.random() < 0.5:
        made.has_canonical_format = True  # a lie
    return made


def explicit_zeros(rng, X):
    X.data[rng.random(X.nnz) < 0.5] = 0
    return X


def not_finite(rng, X):
    X.data[rng.integers(X.nnz, size=3)] = pick(rng, [np.nan, np.inf, -np.inf, 1e300])
    return X


def out_of_range(rng, X):
    bad = [COLUMNS, -1, -COLUMNS, 10**6, 2**31 - 1, -(2**31)]
    X.indices[rng.integers(X.nnz, size=rng.integers(1, 4))] = pick(rng, bad)
    return X


def bad_indptr(rng, X):
    indptr = X.indptr.astype(pick(rng, [np.int32, np.int64]))
    most = 2**31 - 1 if indptr.dtype == np.int32 else 2**62
    bad = [-1, most, -most, X.nnz + 1, X.nnz + 10**6, 0]
    indptr[pick(rng, [0, -1, int(rng.integers(len(indptr)))])] = pick(rng, bad)
    return raw(X.data, X.indices, indptr)


def other_lengths(rng, X):
    parts = [X.data, X.indices, X.indptr]
    i = rng.integers(3)
    size = int(rng.integers(0, len(parts[i]) + 5))
    parts[i] = parts[i][:size].copy() if size <= len(parts[i]) else np.resize(parts[i], size)
    return raw(*parts)


def other_ranks(rng, X):
    parts = [X.data, X.indices, X.indptr]
    i = rng.integers(3)
    parts[i] = pick(rng, [parts[i][:, None], np.array(parts[i][0]), parts[i][None], list(parts[i])])
    return raw(*parts)


def other_dtypes(rng, X):
    dtype = pick(rng, ["?", "i1", "u8", ">i4", "f2", "f4", ">f8", "g", "c16", "O", "U3", "M8[s]"])
    parts = [X.data, X.indices, X.indptr]
    i = rng.integers(3)
    parts[i] = parts[i].astype(dtype)
    return raw(*parts)


def other_formats(rng, X):
    name = pick(rng, ["csc", "coo", "lil", "dok", "bsr", "dia"])
    X = X.asformat(name)
    return {"csc": sparse.csc_array, "coo": sparse.coo_array}.get(name, type(X))(X)


def parts_of_numbers(rng, X):
    """What SciPy itself makes whose data are every second number."""
    return (X * (1 + 1j)).real


def other_shapes(rng, X):
    shape = pick(rng, [(0, COLUMNS), (ROWS, 0), (ROWS, COLUMNS + 1), (ROWS, COLUMNS - 1), (1, 1)])
    return sparse.csr_matrix(shape)


def a_row_of_rows(rng, X):
    return X[rng.integers(ROWS, size=rng.integers(1, 90))]


WAYS = [layouts, layouts, unsorted, duplicated, explicit_zeros, not_finite, out_of_range,
        bad_indptr, other_lengths, other_ranks, other_dtypes, other_formats, parts_of_numbers,
        other_shapes, a_row_of_rows]  # fmt: skip


def broken(rng):
    """A matrix, and the way in which it was made strange."""
    X = matrix(rng)
    while X.nnz < 5:
        X = matrix(rng)
    way = pick(rng, WAYS)
    return way(rng, X), way.__name__


def meaning(X):
    """The dense rows, by reading the lists; None where they mean nothing."""
    if not sparse.issparse(X) or X.format != "csr":
        return np.asarray(X.toarray(), float)
    parts = [np.asarray(part) for part in (X.data, X.indices, X.indptr)]
    kinds = [part.dtype.kind for part in parts]
    if any(part.ndim != 1 for part in parts) or not min(X.shape):
        return None
    if kinds[0] not in "fiub" or kinds[1] not in "iu" or kinds[2] not in "iu":
        return None
    return _summed(*(part.tolist() for part in parts), X.shape)


def _summed(data, indices, indptr, shape):
    entries = min(len(data), len(indices))
    if len(indptr) != shape[0] + 1 or indptr[0] != 0 or indptr[-1] > entries:
        return None
    if sorted(indptr) != indptr:
        return None
    dense = np.zeros(shape)
    for row in range(shape[0]):
        for place in range(indptr[row], indptr[row + 1]):
            if not 0 <= indices[place] < shape[1]:
                return None
            dense[row, indices[place]] += data[place]
    return dense
