"""Numbers scaled by their quartiles and clipped smoothly."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from thinnet.tables.columns.clipping import SmoothlyClipped

FINITE = st.floats(allow_nan=False, allow_infinity=False)
LARGEST = np.finfo(np.float64).max


def features(values, at=None):
    column = np.array(values, float)[:, None]
    scaler = SmoothlyClipped().fit(column)
    return scaler.transform(column if at is None else np.array(at, float)[:, None])[:, 0]


@parametrize_with_checks([SmoothlyClipped()])
def test_it_is_a_transformer_of_scikit_learn(estimator, check):
    check(estimator)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=50))
def test_it_is_the_robust_scaler_clipped(values):
    x = np.array(values)[:, None]
    assume(np.subtract(*np.quantile(x, (0.75, 0.25))) > 1e-6)
    scaled = RobustScaler().fit(x).transform(x)[:, 0]
    assert features(values) == pytest.approx(scaled / np.hypot(1, scaled / 3), rel=1e-9, abs=1e-9)


@given(st.lists(FINITE, min_size=1, max_size=50), st.lists(FINITE, max_size=20))
def test_features_of_any_numbers_are_small_and_in_their_order(values, others):
    at = sorted([*values, *others])
    found = features(values, at)
    assert (np.abs(found) <= 3).all()
    assert (np.diff(found) >= 0).all()


@given(st.lists(FINITE, min_size=1, max_size=50), st.lists(FINITE, min_size=1, max_size=20))
def test_numbers_beyond_the_range_count_as_its_end(values, others):
    found = features(values, others)
    assert (found == features(values, np.clip(others, min(values), max(values)))).all()


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(-9, 9), st.integers(-5, 5))
def test_units_do_not_matter(values, power, shift):
    changed = [2.0**power * (value + shift) for value in values]
    assert features(changed) == pytest.approx(features(values), abs=1e-9)


def test_half_of_the_range_stands_for_quartiles_that_are_equal():
    values = [*[0.0] * 20, 8.0]
    assert features(values)[-1] == pytest.approx(2 / np.sqrt(1 + 4 / 9))


@pytest.mark.parametrize("values", [[-LARGEST, LARGEST], [0, 5e-324], [7.0], [LARGEST] * 3])
def test_the_largest_and_the_least_numbers_have_features(values):
    assert np.isfinite(features(values)).all()
