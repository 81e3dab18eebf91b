"""Selective prediction: risk against coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from thinnet.uncertainty.selection import area_under_risk_coverage, most_certain, risk_coverage

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 40), st.integers(1, 8))
def test_risk_is_the_mean_error_of_the_rows_below_the_threshold(seed, rows, values):
    rng = np.random.default_rng(seed)
    error, uncertainty = rng.random(rows), rng.integers(values, size=rows)
    curve = risk_coverage(error, uncertainty)
    for coverage, risk, threshold in zip(*curve, strict=True):
        answered = uncertainty <= threshold
        assert_allclose([coverage, risk], [answered.mean(), error[answered].mean()])
    assert_array_equal(curve.threshold, np.unique(uncertainty))
    assert_allclose([curve.coverage[-1], curve.risk[-1]], [1, error.mean()])


@given(SEEDS, st.integers(1, 40))
def test_the_area_is_the_mean_of_running_means(seed, rows):
    error = np.random.default_rng(seed).random(rows)
    running = np.cumsum(error) / np.arange(1, rows + 1)
    assert_allclose(area_under_risk_coverage(error, np.arange(rows)), running.mean())
    assert_allclose(area_under_risk_coverage(error, np.zeros(rows)), error.mean())


@given(SEEDS, st.integers(1, 40))
def test_no_ranking_beats_the_errors_themselves(seed, rows):
    rng = np.random.default_rng(seed)
    error, uncertainty = rng.random(rows), rng.random(rows)
    best = area_under_risk_coverage(error, error)
    assert best <= area_under_risk_coverage(error, uncertainty) + 1e-12
    assert area_under_risk_coverage(error, uncertainty) <= (
        area_under_risk_coverage(error, -error) + 1e-12
    )


@given(SEEDS, st.integers(1, 40), st.sampled_from([0, 0.07, 0.3, 0.5, 0.7, 0.9, 1]))
def test_the_most_certain_are_as_few_as_the_coverage_needs(seed, rows, coverage):
    uncertainty = np.random.default_rng(seed).integers(9, size=rows)
    chosen = most_certain(uncertainty, coverage)
    assert chosen.mean() >= coverage - 1e-12
    if chosen.any():
        assert (uncertainty[chosen].max() < uncertainty[~chosen]).all()
        fewer = uncertainty < uncertainty[chosen].max()
        assert fewer.mean() < coverage


def test_a_share_is_taken_as_it_is_written():
    assert most_certain(np.arange(100), 0.07).sum() == 7  # though 0.07 * 100 > 7


def test_selections_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="uncertainty must have as many rows as error, got 1 and"):
        risk_coverage([0, 1], [0])
    with pytest.raises(ValueError, match="error must be finite, got nan in row 0"):
        area_under_risk_coverage([np.nan], [0])
    with pytest.raises(ValueError, match=r"coverage must be a number in \[0, 1\], got 2"):
        most_certain([1], 2)
