"""Intervals, PIT and CRPS of numbers: against closed forms and others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from thinnet.uncertainty.intervals import interval_coverage, interval_score, interval_width
from thinnet.uncertainty.predictive import crps, pit, pit_histogram

SEEDS = st.integers(0, 2**32)


def test_coverage_counts_both_bounds_and_width_is_the_mean():
    low, high = [0, 0, 0, -np.inf], [1, 1, 1, np.inf]
    assert interval_coverage([0, 1, 2, 9], low, high) == 0.75
    assert interval_coverage([0, 1, 2, 9], low, high, sample_weight=[0, 0, 1, 1]) == 0.5
    assert interval_width(low, high) == np.inf
    assert interval_width([0, 1], [1, 4], sample_weight=[3, 1]) == 1.5


def test_interval_score_is_the_sum_of_two_pinball_losses(rng):
    from sklearn.metrics import mean_pinball_loss

    y, (low, high) = rng.normal(size=80), np.sort(rng.normal(size=(2, 80)), axis=0)
    for coverage in (0.5, 0.8, 0.95):
        a = (1 - coverage) / 2
        lower = mean_pinball_loss(y, low, alpha=a)
        upper = mean_pinball_loss(y, high, alpha=1 - a)
        assert_allclose(interval_score(y, low, high, coverage=coverage), (lower + upper) / a)


def test_the_true_quantiles_have_the_best_interval_score(rng):
    y = rng.normal(size=20_000)

    def score(half):
        return interval_score(y, np.full_like(y, -half), np.full_like(y, half), coverage=0.8)

    best = stats.norm.ppf(0.9)
    assert score(best) < min(score(0.8 * best), score(1.2 * best))


@pytest.mark.parametrize(
    ("y", "low", "high", "sentence"),
    [
        ([1], [2], [1], "high must be at least low, got 1.0 in row 0"),
        ([1], [np.nan], [1], "low must be a number, got nan in row 0"),
        ([1, 2], [1], [1], "y must have as many rows as low, got 2 and 1"),
        ([1], [1], [1, 2], "high must have as many rows as low, got 2 and 1"),
        ([[1]], [1], [1], r"y must be one number a row, got \(1, 1\)"),
    ],
)
def test_intervals_that_cannot_be_are_refused(y, low, high, sentence):
    for score in (interval_coverage, interval_score):
        with pytest.raises(ValueError, match=sentence):
            score(y, low, high)
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\), got 1"):
        interval_score([1], [1], [1], coverage=1)


def test_pit_is_the_place_among_the_draws():
    draws = np.array([[1.0], [2.0], [3.0]])
    places = [pit([y], draws).item() for y in (0.0, 1.5, 2.5, 9.0)]
    assert_allclose(places, np.array([0.5, 1.5, 2.5, 3.5]) / 4)
    assert_allclose(pit([2.0], draws), 0.5)


def test_pit_of_calibrated_draws_is_uniform_and_of_narrow_ones_is_not(rng):
    y, draws = rng.normal(size=2000), rng.normal(size=(99, 2000))
    expected = np.full(20, 100.0)
    assert stats.chisquare(pit_histogram(pit(y, draws), n_bins=20).rows, expected).pvalue > 1e-4
    narrow = pit_histogram(pit(y, draws / 2), n_bins=20).rows
    assert stats.chisquare(narrow, expected).pvalue < 1e-9
    assert min(narrow[0], narrow[-1]) > 2 * narrow[1:-1].max()


@given(st.integers(1, 3000), st.integers(1, 30), st.sampled_from([0.5, 0.95, 0.99]))
def test_the_band_holds_a_calibrated_bin_with_its_probability(rows, n_bins, band):
    found = pit_histogram(np.linspace(0, 1, rows), n_bins=n_bins, band=band)
    count = stats.binom(rows, 1 / n_bins)
    assert found.rows.sum() == rows
    assert count.cdf(found.high) - count.cdf(found.low - 1) >= band - 1e-9
    tail = (1 - band) / 2
    assert count.cdf(found.low - 1) <= tail + 1e-9
    assert count.sf(found.high) <= tail + 1e-9
    assert_allclose(found.expected, count.mean())


@given(SEEDS, st.integers(2, 9))
def test_crps_is_the_integral_over_the_squared_step(seed, n_draws):
    rng = np.random.default_rng(seed)
    y, draws = rng.normal(), rng.normal(size=n_draws)
    ends = np.sort(np.append(draws, y))
    middles = (ends[1:] + ends[:-1]) / 2
    cdf = (draws[:, None] <= middles).mean(axis=0)
    integral = ((cdf - (middles >= y)) ** 2) @ np.diff(ends)
    assert_allclose(crps([y], draws[:, None], fair=False), integral, atol=1e-12)
    pairs = np.abs(draws[:, None] - draws).sum() / (2 * n_draws * (n_draws - 1))
    assert_allclose(crps([y], draws[:, None]), np.abs(draws - y).mean() - pairs, atol=1e-12)


def test_the_fair_crps_expects_that_of_the_distribution_with_any_number_of_draws(rng):
    y = 0.7

    def squared_step(x):
        return (stats.norm.cdf(x) - (x >= y)) ** 2

    exact = integrate.quad(squared_step, -9, 9, points=[y])[0]
    for n_draws in (2, 5):
        draws = rng.normal(size=(n_draws, 40_000))
        assert_allclose(crps(np.full(40_000, y), draws), exact, atol=0.02)
        assert crps(np.full(40_000, y), draws, fair=False) > exact + 0.05


@pytest.mark.usefixtures("untyped")
def test_draws_of_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"draws must be of shape \(draws, 2\), got \(2, 3\)"):
        pit([1, 2], np.zeros((2, 3)))
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        crps([1], [[1]])
    with pytest.raises(ValueError, match=r"fair must be True or False, got 0\.5"):
        crps([1], [[1], [2]], fair=0.5)
    with pytest.raises(ValueError, match=r"values must be in \[0, 1\], got 1.5 in row 1"):
        pit_histogram([0.5, 1.5])
    with pytest.raises(ValueError, match=r"band must be a number in \(0, 1\), got 0"):
        pit_histogram([0.5], band=0)
