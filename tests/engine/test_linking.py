"""Functions that are compiled as parts of others."""

import math

import numba
import pytest

from thinnet.engine.linking import part


@part
def scaled(x, by):
    return x * by


@part
def is_missing(x):
    return x != x


@numba.njit
def whole(x):
    return -1.0 if is_missing(x) else scaled(scaled(x, 2.0), 3.0) + 1.0


def test_a_part_does_within_its_caller_what_it_says():
    assert [whole(x) for x in (0.0, 1.5, -2.0)] == [1.0, 10.0, -11.0]
    assert whole(math.nan) == -1.0


def test_a_part_is_for_compiled_code_only():
    with pytest.raises(SystemError):
        scaled(1.0, 2.0)
