"""Sparse matrices that are right but odd, and ones that lie about themselves."""

import numpy as np
from scipy import sparse

FORMS = ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"]


def plain(rows=12, columns=6, seed=0):
    """A dense table, mostly zeros, with an empty row and an empty column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns)) * (rng.random((rows, columns)) < 0.4)
    X[rows // 2], X[:, columns // 2] = 0, 0
    return X


def made(X, form, kind="array"):
    return getattr(sparse, f"{form}_{kind}")(X)


def swapped(part):
    return part.astype(part.dtype.newbyteorder(">"))


def strided(part):
    return np.repeat(part, 2, axis=0)[::2]


def backwards(part):
    return part[::-1].copy()[::-1]


def unaligned(part):
    room = np.zeros(part.nbytes + 1, np.uint8)[1:].view(part.dtype)
    room[:] = part
    return room


def read_only(part):
    part = part.copy()
    part.flags.writeable = False
    return part


def with_room(part):
    return np.append(part, np.full(3, 77, part.dtype))


LAYOUTS = [swapped, strided, backwards, unaligned, read_only]


def laid_out(X, form, layout, which):
    """A matrix of `form` one of whose parts lies in memory in another way."""
    matrix = made(X, form)
    if form == "coo" and which != "data":
        matrix.coords = tuple(layout(part) for part in matrix.coords)
    else:
        setattr(matrix, which, layout(getattr(matrix, which)))
    return matrix


PARTS = {
    "csr": ["data", "indices", "indptr"],
    "csc": ["data", "indices", "indptr"],
    "bsr": ["indices", "indptr"],
    "coo": ["data", "coords"],
    "dia": ["offsets"],
}


def odd():
    """Right matrices by name, and what each stands for."""
    X = plain()
    found = {
        f"{form} {layout.__name__} {which}": (laid_out(X, form, layout, which), X)
        for form, parts in PARTS.items()
        for layout in LAYOUTS
        for which in parts
    }
    for dtype in (np.float16, np.float32, np.longdouble, np.int8, np.uint64, bool):
        whole = np.abs(4 * X).astype(dtype)
        found[f"csr of {np.dtype(dtype)}"] = (_cast(whole), whole)
    for dtype in (np.int64, np.uint8, np.uint64, np.int16):
        found[f"csr with {np.dtype(dtype)} places"] = (_places(X, dtype), X)
    found["csr with values in a list"] = (_listed(X), X)
    found["csr with room"] = (_with_room(X), X)
    found["csr out of order"] = (_reversed_rows(X), X)
    found["csr with places twice"] = (_twice(X), X)
    found["real part of complex"] = ((made(X, "csr") * (1 + 1j)).real, X)
    found["coo with places twice"] = (_twice(X).tocoo(), X)
    return found


def _cast(X):
    matrix = made(X.astype(float), "csr")
    matrix.data = matrix.data.astype(X.dtype)
    return matrix


def _places(X, dtype):
    matrix = made(X, "csr")
    matrix.indices, matrix.indptr = matrix.indices.astype(dtype), matrix.indptr.astype(dtype)
    return matrix


def _listed(X):
    matrix = made(X, "csr")
    matrix.data = matrix.data.tolist()
    return matrix


def _with_room(X):
    matrix = made(X, "csr")
    matrix.data, matrix.indices = with_room(matrix.data), with_room(matrix.indices)
    return matrix


def _reversed_rows(X):
    matrix = made(X, "csr")
    for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        for part in (matrix.data, matrix.indices):
            part[start:stop] = part[start:stop][::-1].copy()
    matrix.has_sorted_indices = matrix.has_canonical_format = True  # it lies, too
    return matrix


def _twice(X):
    """Each entry as three quarters and a quarter of it."""
    matrix = made(X, "csr")
    data = np.column_stack([0.75 * matrix.data, 0.25 * matrix.data]).ravel()
    return sparse.csr_array((data, np.repeat(matrix.indices, 2), 2 * matrix.indptr), X.shape)


def lying():
    """Matrices by name whose parts contradict each other: a step over their ends is a crash."""
    X, far = plain(), 10**8
    found = {}
    for form in ("csr", "csc", "bsr"):
        for name, change in {
            "places beyond": {"indices": lambda p: np.where(np.arange(len(p)) == 3, far, p)},
            "places below": {"indices": lambda p: np.where(np.arange(len(p)) == 3, -far, p)},
            "places beyond 64 bits": {"indices": lambda p: p.astype(np.uint64) + 2**63},
            "places of floats": {"indices": lambda p: p.astype(float)},
            "places in a table": {"indices": lambda p: p[None]},
            "few places": {"indices": lambda p: p[:2]},
            "few values": {"data": lambda p: p[:2]},
            "a start below": {"indptr": lambda p: np.append(-far, p[1:])},
            "a late start": {"indptr": lambda p: np.append(1, p[1:])},
            "an end beyond": {"indptr": lambda p: np.append(p[:-1], far)},
            "ends that fall": {"indptr": lambda p: np.append([0, far], p[2:])},
            "few ends": {"indptr": lambda p: p[:3]},
            "swapped ends": {"indptr": lambda p: p.astype(p.dtype).byteswap()},
            "swapped places": {"indices": lambda p: (p + 1).byteswap()},
        }.items():
            matrix = made(X, form)
            for part, changed in change.items():
                setattr(matrix, part, changed(getattr(matrix, part)))
            found[f"{form}, {name}"] = matrix
    for axis in (0, 1):
        for name, number in {"beyond": far, "below": -far}.items():
            matrix = made(X, "coo")
            places = [part.copy() for part in matrix.coords]
            places[axis][2] = number
            matrix.coords = tuple(places)
            found[f"coo, axis {axis} {name}"] = matrix
    matrix = made(X, "coo")
    matrix.coords = (matrix.coords[0][:2], matrix.coords[1])
    found["coo, few rows"] = matrix
    for name, number in {"beyond": far, "below": -far}.items():
        matrix = made(X, "lil")
        matrix.rows[0], matrix.data[0] = [number], [1.0]
        found[f"lil, {name}"] = matrix
        matrix = made(X, "dok")
        matrix._dict[number, 1] = 1.0
        found[f"dok, {name}"] = matrix
    matrix = made(X, "lil")
    matrix.rows[0] = [0, 1, 2, 3, 4]
    found["lil, few values"] = matrix
    matrix = made(X, "dia")
    matrix.offsets = matrix.offsets[:1]
    found["dia, few offsets"] = matrix
    return found
