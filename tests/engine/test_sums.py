"""Compiled sums have the orders of docs/arithmetic.md."""

import numpy as np
import pytest
from arithmetic import chained_within_rows, sum_over_rows, sum_within_rows
from numba import njit

from thinnet.engine.kernels.sums import lane_dot, lane_sum, tree_sum

LENGTHS = [1, 2, 15, 16, 17, 31, 32, 33, 47, 257, 1000]


@njit
def compiled_lane_sum(x):
    return lane_sum(x)


@njit
def compiled_lane_dot(x, y):
    return lane_dot(x, y)


@njit
def compiled_tree_sum(x):
    return tree_sum(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", LENGTHS)
def test_a_row_is_summed_in_sixteen_parts(n, dtype):
    x, y = np.random.default_rng(n).standard_normal((2, n)).astype(dtype)
    assert compiled_lane_sum(x) == sum_within_rows(x)
    assert compiled_lane_dot(x, y) == chained_within_rows(x, y)


@pytest.mark.parametrize("n", [1, 2, 127, 128, 129, 256, 300, 640, 900, 1409, 5000])
def test_rows_are_summed_by_the_tree(n):
    x = np.random.default_rng(n).standard_normal(n)
    assert compiled_tree_sum(x.copy()) == sum_over_rows(x)
