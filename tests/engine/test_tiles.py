"""Products of tiles have the bits of docs/arithmetic.md, whatever the tile's shape."""

import numpy as np
import pytest
from arithmetic import blocked_product, product_over_rows
from numba import njit

from thinnet.engine.kernels.tiles import (
    ADD,
    ADD_TO_ZERO,
    STORE,
    VECTOR_BYTES,
    Panel,
    Strided,
    sweep_of,
)
from thinnet.engine.shapes import SHAPES

NOWHERE = 0  # an address that is fetched from and does not exist
SIZES = [1, 7, 8, 9, 15, 16, 17, 47, 49, 127, 129, 255, 257, 513]


def aligned(shape, dtype):
    """Zeros that start at a multiple of 64 bytes."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + VECTOR_BYTES, np.uint8)
    start = -raw.ctypes.data % VECTOR_BYTES
    return raw[start : start + size].view(dtype).reshape(shape)


def panel_of(b, lanes, vectors):
    out = aligned((len(b), lanes * vectors), b.dtype)
    out[:, : b.shape[1]] = b
    return out


def sweeping(shape, vectors):
    sweep = sweep_of(shape, vectors)

    @njit
    def multiply(a, a_row, a_term, b, n, c, mode):
        size = c.itemsize
        terms = Strided(a.ctypes.data, a_row * size, a_term * size)
        panel = Panel(b.ctypes.data, b.shape[1] * size, NOWHERE)
        out = Strided(c.ctypes.data, c.shape[1] * size, size)
        sweep(terms, panel, out, c.shape[0], n, mode, c.dtype.type(0))

    return multiply


@pytest.fixture(scope="module", params=[(name, v) for name in SHAPES for v in (1, 2, 3)], ids=str)
def multiply(request):
    name, vectors = request.param
    if vectors > SHAPES[name].vectors:
        pytest.skip("wider than this shape's panels")
    return sweeping(SHAPES[name], vectors), vectors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_panel_is_the_blocked_product(multiply, dtype):
    rng, (code, vectors) = np.random.default_rng(0), multiply
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    for rows, terms in [(rows, 513) for rows in SIZES[:8]] + [(9, terms) for terms in SIZES]:
        a = rng.standard_normal((rows, terms)).astype(dtype)
        b = rng.standard_normal((terms, lanes * vectors - 1)).astype(dtype)
        panel, c = panel_of(b, lanes, vectors), aligned((rows, lanes * vectors), dtype)
        for first in range(0, terms, 256):
            mode = ADD if first else ADD_TO_ZERO
            code(a[:, first:], terms, 1, panel[first:], min(256, terms - first), c, mode)
        np.testing.assert_array_equal(c[:, :-1], blocked_product(a, b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_over_rows_reads_its_other_side_by_columns(multiply, dtype):
    rng, (code, vectors) = np.random.default_rng(1), multiply
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    for rows, units in [(1, 1), (128, 17), (200, 9)]:
        dy = rng.standard_normal((rows, units)).astype(dtype)
        x = rng.standard_normal((rows, lanes * vectors)).astype(dtype)
        panel, c = panel_of(x, lanes, vectors), aligned((units, lanes * vectors), dtype)
        for first in range(0, rows, 128):
            mode = ADD if first else STORE
            code(dy[first:], 1, units, panel[first:], min(128, rows - first), c, mode)
        np.testing.assert_array_equal(c, product_over_rows(dy, x))


def test_a_product_of_nan_and_infinity_is_where_it_was(multiply):
    code, vectors = multiply
    a = np.array([[np.nan, 1], [np.inf, 1], [1, 1]], np.float32)
    b = panel_of(np.array([[1, 0], [1, np.inf]], np.float32), 16, vectors)
    c = aligned((3, 16 * vectors), np.float32)
    with np.errstate(invalid="ignore"):
        code(a, 2, 1, b, 2, c, ADD_TO_ZERO)
    expected = [[np.nan, np.nan], [np.inf, np.nan], [2, np.inf]]
    np.testing.assert_array_equal(c[:, :2], expected)
