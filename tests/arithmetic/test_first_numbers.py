"""Functions that have the same bits everywhere are right, and compiled code has the same ones."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from thinnet import arithmetic, philox
from thinnet.engine.compile import kernel
from thinnet.engine.kernels.normals import normals
from thinnet.engine.kernels.philox import Stream
from thinnet.philox import Purpose

Long = np.longdouble
EPSILON = np.finfo(np.float64).eps


def test_logarithms_are_right_to_rounding(rng):
    x = np.append(rng.uniform(0, 2, 50_000), 2.0 ** np.arange(-60, 60))
    assert_allclose(arithmetic.log(x), np.log(x.astype(Long)), rtol=3 * EPSILON, atol=0)


def test_cosine_and_sine_of_a_part_of_a_turn_are_right_to_rounding(rng):
    turns = np.append(np.arange(8) / 8, rng.integers(2**32, size=50_000) / 2**32)
    angle = 2 * Long("3.14159265358979323846264338") * turns
    c, s = arithmetic.cos_sin(turns)
    assert_allclose(c, np.cos(angle), rtol=0, atol=4 * EPSILON)
    assert_allclose(s, np.sin(angle), rtol=0, atol=4 * EPSILON)


@given(st.floats(0.5, 2), st.integers(0, 200))
def test_a_whole_power_is_right_to_its_roundings(base, exponent):
    exact = Fraction(base) ** exponent
    assert math.isclose(arithmetic.whole_power(base, exponent), exact, rel_tol=200 * EPSILON)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=40))
def test_a_folded_sum_is_the_sum(values):
    assert arithmetic.folded_sum(np.array(values, float)) == sum(values)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (40, 7)])
def test_reflections_make_orthonormal_columns_that_begin_as_the_first_one(shape, rng):
    g = rng.normal(size=shape)
    q = arithmetic.orthonormal(g)
    assert_allclose(q.T @ q, np.eye(shape[1]), atol=1e-14)
    assert_allclose(q[:, 0], g[:, 0] / np.linalg.norm(g[:, 0]), atol=1e-14)


@kernel
def rows_of_normals(out, stream):
    for row in range(len(out)):
        normals(out[row], stream, np.uint64(row))


@pytest.mark.parametrize("purpose", ["train", "weights"])
def test_compiled_normal_numbers_have_the_bits_of_numpys(purpose: Purpose):
    stream = philox.Stream(2**40 + 5, purpose, layer=3, step=7)
    out = np.empty((20, 1003))
    words = (stream.seed & 0xFFFFFFFF, stream.seed >> 32, stream.number, stream.step)
    rows_of_normals(out, Stream(*map(np.uint64, words)))
    np.testing.assert_array_equal(out, philox.normals(stream, np.arange(20), 1003))
