"""The oracle's own operations are what their names say, by exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from arithmetic import blocked_product, fma, sum_over_rows, sum_within_rows, tree
from hypothesis import example, given
from hypothesis import strategies as st

NORMAL_64 = st.floats(1e-140, 1e140).flatmap(lambda x: st.sampled_from([x, -x]))
ANY_32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
SMALL_32 = ANY_32.filter(lambda x: abs(x) < 1e18)  # whose products are finite


def rounded(exact, dtype):
    """The number of `dtype` that is nearest to a fraction, of two the one whose last bit is 0."""
    near = dtype(float(exact))
    around = [np.nextafter(near, dtype(-np.inf)), near, np.nextafter(near, dtype(np.inf))]
    bits = f"i{near.itemsize}"
    return min(around, key=lambda y: (abs(Fraction(float(y)) - exact), y.view(bits) & 1))


@given(SMALL_32, SMALL_32, ANY_32.filter(lambda x: abs(x) < 1e38))
@example(1 + 2**-23, 1 - 2**-23, 2**24 + 2)
@example(1e-30, 1e-15, 1e-45)
@example(-1e-30, 1e-15, 0.0)
def test_a_float32_multiply_add_is_rounded_once(x, y, z):
    numbers = [np.float32(number) for number in (x, y, z)]
    x, y, z = (Fraction(float(number)) for number in numbers)
    result, exact = fma(*numbers), x * y + z
    assert result == rounded(exact, np.float32)


@given(NORMAL_64, NORMAL_64, NORMAL_64)
@example(1 + 2**-52, 1 - 2**-52, -1.0)
@example(1 + 2**-52, 1 + 2**-51, 2.0**53)
@example(3.0, 5.0, -15.0)
def test_a_float64_multiply_add_is_rounded_once(x, y, z):
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    result = fma(np.float64(x), np.float64(y), np.float64(z))
    assert result == rounded(exact, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_multiply_add_keeps_infinities_and_nan(dtype):
    x = np.array([np.inf, np.nan, 1, 0, 2], dtype)
    y = np.array([2, 1, np.inf, np.inf, 3], dtype)
    z = np.array([1, 1, -np.inf, 1, np.inf], dtype)
    np.testing.assert_array_equal(fma(x, y, z), [np.inf, np.nan, np.nan, np.nan, np.inf])


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, "a"),
        (2, "(ab)"),
        (3, "((ab)c)"),
        (5, "(((ab)(cd))e)"),
        (7, "(((ab)(cd))((ef)g))"),
    ],
)
def test_the_tree_joins_complete_subtrees_and_the_rest_from_the_right(n, expected):
    class Leaf(str):
        def __add__(self, other):
            return Leaf(f"({self!s}{other!s})")

    assert tree([Leaf(letter) for letter in "abcdefg"[:n]]) == expected


@given(st.integers(1, 600))
def test_sums_of_small_whole_numbers_are_exact(n):
    a = np.arange(n, dtype=np.float32) % 7
    total = int(np.sum(a, dtype=np.int64))
    assert sum_within_rows(a) == sum_over_rows(a) == total
    assert blocked_product(a[None], np.ones((n, 1), np.float32)) == total
