"""The order of an epoch is the same whoever computes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thinnet import philox
from thinnet.engine.shuffling import permutation


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_compiled_orders_are_those_of_the_specification(seed, epoch, n):
    expected = philox.permutation(seed, "shuffle", epoch, n)
    found = permutation(seed, "shuffle", epoch, n)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("n", [4095, 4096, 4097, 100_000])
def test_long_orders_are_those_of_the_specification(n):
    expected = philox.permutation(3, "shuffle", 1, n)
    np.testing.assert_array_equal(permutation(3, "shuffle", 1, n), expected)
