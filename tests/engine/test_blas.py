"""Matrix products by a private library that leaves NumPy's alone."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

from thinnet.engine import blas
from thinnet.engine.blas import PLAIN, TRANSPOSED, Matrix, Sizes, gemm
from thinnet.engine.compile import kernel

pytestmark = pytest.mark.skipif(blas.library() is None, reason="no private library here")
SHAPES = [(1, 1, 1), (3, 5, 7), (64, 784, 256), (257, 33, 10), (1, 300, 200)]


@kernel
def product(trans_a, trans_b, m, n, k, a, b, c):
    """``c = op(a) @ op(b)``, of shapes (m, k) and (k, n)."""
    first = Matrix(np.int64(a.ctypes.data), a.shape[1], trans_a)
    second = Matrix(np.int64(b.ctypes.data), b.shape[1], trans_b)
    result = Matrix(np.int64(c.ctypes.data), c.shape[1], PLAIN)
    gemm(first, second, result, Sizes(m, n, k), a.dtype.type(0))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_products_of_a_dense_layer_are_numpys(shape, dtype, rng):
    rows, width, units = shape
    x, w, dy = (
        rng.normal(size=s).astype(dtype) for s in ((rows, width), (units, width), (rows, units))
    )
    y, dx, dw = np.full_like(dy, np.nan), np.full_like(x, np.nan), np.full_like(w, np.nan)
    product(PLAIN, TRANSPOSED, rows, units, width, x, w, y)
    product(PLAIN, PLAIN, rows, width, units, dy, w, dx)
    product(TRANSPOSED, PLAIN, units, width, rows, dy, x, dw)
    close = {"rtol": 0, "atol": 20 * np.finfo(dtype).eps * max(shape)}
    assert_allclose(y, x @ w.T, **close)
    assert_allclose(dx, dy @ w, **close)
    assert_allclose(dw, dy.T @ x, **close)


def ours():
    """Threads of the private library, as threadpoolctl sees it."""
    (found,) = (
        pool["num_threads"]
        for pool in threadpool_info()
        if blas.library().path.samefile(pool["filepath"])
    )
    return found


def test_the_private_library_has_one_thread_again_after_a_users_limits():
    blas.single_threaded()
    assert ours() == 1
    with threadpool_limits(2):
        blas.single_threaded()
        assert ours() == 1


def python(program, **environment):
    whole = {k: v for k, v in os.environ.items() if "OPENBLAS" not in k and "CORETYPE" not in k}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**whole, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


LEAVES_ALONE = """
import os, numpy
from threadpoolctl import threadpool_info
from thinnet.engine import blas
before, found = dict(os.environ), threadpool_info()
private = blas.library().path
assert dict(os.environ) == before
after = [pool for pool in threadpool_info() if not private.samefile(pool["filepath"])]
assert after == found and found, (after, found)
"""


def test_numpys_library_its_threads_and_the_environment_are_left_alone():
    finished = python(LEAVES_ALONE, OPENBLAS_CORETYPE="Haswell", OPENBLAS_NUM_THREADS="2")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("core", blas.core_types()[1:] or blas.core_types())
def test_a_core_type_can_be_chosen(core):
    program = "from thinnet.engine import blas; print(blas.library().core)"
    assert python(program, THINNET_CORETYPE=core).stdout.split() == [core]


def test_the_best_core_type_is_taken_whatever_numpys_library_takes():
    program = "from thinnet.engine import blas; print(blas.library().core)"
    found = python(program, OPENBLAS_CORETYPE="Nehalem").stdout.split()
    assert found == [blas.core_types()[0]]


def test_a_core_type_that_the_processor_does_not_run_is_refused():
    finished = python("from thinnet.engine import blas; blas.library()", THINNET_CORETYPE="Alpha")
    assert "Error: THINNET_CORETYPE must be" in finished.stderr


TWICE = """
import numpy as np
from thinnet.engine.blas import PLAIN, Matrix, Sizes, gemm, library
from thinnet.engine.compile import kernel

@kernel
def times(a, b, c):
    n = len(a)
    first = Matrix(np.int64(a.ctypes.data), n, PLAIN)
    second = Matrix(np.int64(b.ctypes.data), n, PLAIN)
    gemm(first, second, Matrix(np.int64(c.ctypes.data), n, PLAIN), Sizes(n, n, n), 0.0)

library()
a, b, c = np.eye(3), np.arange(9.0).reshape(3, 3), np.empty((3, 3))
times(a, b, c)
assert (c == b).all()
print(sum(times.stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_machine_code_that_calls_the_library_is_kept_and_found(tmp_path):
    found = [python(TWICE, THINNET_CACHE_DIR=str(tmp_path)).stdout.split() for _ in range(2)]
    assert found == [["0"], ["1"]]


def test_without_the_library_there_is_none(monkeypatch):
    monkeypatch.setattr(blas, "find_spec", lambda name: None)
    assert blas.library.__wrapped__() is None
