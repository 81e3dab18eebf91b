"""Sums within rows and over rows have one order, whatever lies beside them."""

import math

import arithmetic_numbers as oracle
import numpy as np
import pytest
from arithmetic import sum_over_rows, sum_within_rows
from numpy.testing import assert_array_equal

from thinnet import arithmetic

SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 127, 128, 129, 256, 257, 300, 700]
BY_SIZE = pytest.mark.parametrize("n", SIZES)


def numbers(n, rng):
    return rng.standard_normal((n, 3)) * 10.0 ** rng.integers(-8, 8, (n, 3))


@BY_SIZE
def test_a_sum_within_a_row_is_the_oracles(n, rng):
    x = numbers(n, rng)
    found = arithmetic.lane_sum(x)
    assert_array_equal(found, [oracle.lanes(column) for column in x.T.tolist()])
    assert_array_equal(found, sum_within_rows(x.T))


@BY_SIZE
def test_a_sum_over_rows_is_the_oracles(n, rng):
    x = numbers(n, rng)
    found = arithmetic.tree_sum(x)
    assert_array_equal(found, [oracle.rows(column) for column in x.T.tolist()])
    assert_array_equal(found, sum_over_rows(x))


@pytest.mark.parametrize("total", [arithmetic.lane_sum, arithmetic.tree_sum])
def test_a_sum_does_not_depend_on_the_layout_in_memory(total, rng):
    x = numbers(300, rng)
    assert_array_equal(total(np.asfortranarray(x)), total(x))
    assert [total(x[:, j]) for j in range(3)] == total(x).tolist()
    assert total(np.zeros((0, 2))).tolist() == [0, 0]


def test_the_total_weight_is_exact_but_for_one_rounding(rng):
    weights = rng.random(1000) * 10.0 ** rng.integers(-20, 20, 1000)
    assert arithmetic.total_weight(weights) == math.fsum(weights[::-1])
    mean = arithmetic.tree_mean(np.ones(1000), weights)
    assert math.isclose(mean, 1, rel_tol=1e-14)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.7])
def test_equal_numbers_have_no_variance(value):
    assert arithmetic.tree_variance(np.full(777, value)) == 0


def test_a_variance_is_numpys_to_rounding(rng):
    x = rng.normal(1e3, 2, (500, 2))
    np.testing.assert_allclose(arithmetic.tree_variance(x), x.var(axis=0), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", [2, 10, 16, 17, 300])
def test_probabilities_are_the_oracles_in_their_own_type(n, dtype, rng):
    z = (rng.standard_normal((400, n)) * 5).astype(dtype)
    found = arithmetic.softmax(z)
    assert found.dtype == dtype
    some = np.array([oracle.softmax(row) for row in z[::57].astype(float).tolist()]).astype(dtype)
    assert_array_equal(found[::57], some)
    assert_array_equal(arithmetic.softmax(z[3]), found[3])
    assert_array_equal(arithmetic.softmax(z[None, 5:9])[0], found[5:9])


def test_the_log_of_a_sum_of_exponentials_that_are_all_zero_is_minus_infinity():
    x = np.array([[-np.inf, 0.0, np.inf], [-np.inf, -np.inf, 1.0]])
    assert arithmetic.log_sum_exp(x).tolist() == [-np.inf, 0, np.inf]
