"""Distributions of a target by its draws: against SciPy, and against their own definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from thinnet.tables.targets import TargetScale
from thinnet.uncertainty.draws.mixtures import Gaussians, OwnUnits, Poissons, with_own_noise
from thinnet.uncertainty.draws.noise import noise_of, some_rows
from thinnet.uncertainty.draws.spreads import spread

SKEWED = TargetScale(np.array([0.3]), np.array([0.8]), np.array([2.0]))
UNITS = {"own": OwnUnits(), "logged": SKEWED}


@pytest.fixture(params=UNITS)
def mixture(request, rng):
    centers = rng.normal(size=(5, 3, 1))
    return Gaussians(centers, rng.uniform(0.2, 1.0, size=(5, 3, 1)), UNITS[request.param])


def test_a_single_gaussian_is_scipys(rng):
    centers, spread_ = rng.normal(size=(1, 4, 2)), np.array([0.5, 2.0])
    mixture, y = Gaussians(centers, spread_, OwnUnits()), rng.normal(size=(4, 2))
    one = stats.norm(centers[0], spread_)
    assert_allclose(mixture.log_density(y), one.logpdf(y).sum(axis=1))
    assert_allclose(mixture.distribution(y), one.cdf(y))
    assert_allclose(mixture.quantile(0.9), one.ppf(0.9))


def test_the_density_integrates_to_the_distribution(mixture):
    low = -1.999 if mixture.units is SKEWED else -12.0

    def density(value):
        return np.exp(mixture.log_density(np.full((3, 1), value)))[1]

    for y in (0.5, 3.0):
        mass, _ = integrate.quad(density, low, y, limit=400)
        assert_allclose(mass, mixture.distribution(np.full((3, 1), y))[1, 0], atol=1e-6)


@given(level=st.floats(0.001, 0.999))
def test_a_quantile_has_its_share_of_the_distribution_below_it(level):
    rng = np.random.default_rng(3)
    for units in UNITS.values():
        mixture = Gaussians(5 * rng.normal(size=(7, 20, 1)), np.array([0.01]), units)
        found = mixture.quantile(level)
        below = mixture.distribution(found)
        assert_allclose(below[found > units.least], level, atol=1e-7)
        assert (below[found == units.least] >= level - 1e-7).all()


def test_moments_are_those_of_samples_of_the_mixture(mixture, rng):
    which = rng.integers(5, size=200_000)
    z = mixture.centers[which] + mixture.spread[which] * rng.normal(size=(200_000, 3, 1))
    y = mixture.units.back(z.reshape(-1, 1)).reshape(z.shape)
    found = spread(mixture)
    error = y.std(axis=0) / np.sqrt(len(y))
    assert (np.abs(found.mean - y.mean(axis=0)) < 5 * error).all()
    assert_allclose(found.std, y.std(axis=0), rtol=0.05)


def test_variance_is_epistemic_and_aleatoric(mixture):
    found = spread(mixture)
    assert_allclose(found.std**2, found.epistemic**2 + found.aleatoric**2)
    assert (found.aleatoric > 0).all()
    assert (found.epistemic > 0).all()


def test_equal_draws_have_noise_only(rng):
    center = rng.normal(size=(1, 6, 2))
    found = spread(Gaussians(np.repeat(center, 9, axis=0), np.array([0.3, 0.4]), OwnUnits()))
    assert_allclose(found.epistemic, 0, atol=1e-12)
    assert_allclose(found.std, [[0.3, 0.4]] * 6)


def test_heads_are_means_and_logs_of_variances():
    outputs = np.array([[[1.0, np.log(4.0)]]])
    mixture = with_own_noise(outputs, OwnUnits())
    assert mixture.centers[0, 0, 0] == 1.0
    assert_allclose(mixture.spread[0, 0, 0], 2.0)


def test_poissons_are_scipys(rng):
    rates = rng.uniform(0.1, 30, size=(6, 4, 1))
    mixture, y = Poissons(rates), rng.integers(0, 20, size=(4, 1)).astype(float)
    mass = stats.poisson.pmf(y, rates).mean(axis=0)[:, 0]
    assert_allclose(mixture.log_density(y), np.log(mass))
    assert_allclose(mixture.distribution(y), stats.poisson.cdf(y, rates).mean(axis=0))
    for level in (0.05, 0.5, 0.99):
        q = mixture.quantile(level)
        assert (mixture.distribution(q) >= level).all()
        assert (mixture.distribution(q - 1) < level).all()


@pytest.mark.parametrize("noise", [0.05, 1.0, 20.0])
def test_noise_around_draws_is_found_again(noise, rng):
    truth = rng.normal(size=(4000, 1))
    draws = truth + 0.5 * rng.normal(size=(30, 4000, 1))
    which = rng.integers(30, size=4000)
    y = draws[which, np.arange(4000)] + noise * rng.normal(size=(4000, 1))
    assert_allclose(noise_of(draws, y), noise, rtol=0.1 if noise >= 0.5 else 0.35)


def test_noise_is_what_makes_the_targets_likeliest(rng):
    draws, y = rng.normal(size=(20, 200, 1)), rng.normal(size=(200, 1))
    found = noise_of(draws, y)

    def likelihood(noise):
        return Gaussians(draws, noise, OwnUnits()).log_density(y).mean()

    assert likelihood(found) > max(likelihood(found * 1.05), likelihood(found * 0.95))


def test_noise_of_perfect_draws_is_small_and_above_0():
    y = np.linspace(0, 1, 50)[:, None]
    assert 0 < noise_of(np.repeat(y[None], 3, axis=0), y)[0] < 1e-4
    assert noise_of(np.ones((3, 50, 1)), np.ones((50, 1)))[0] > 0


def test_rows_to_learn_noise_from_are_from_everywhere_and_count():
    places = some_rows(10_000)
    assert len(places) == 1000
    assert len(set(places // 1000)) == 10
    weights = np.zeros(50)
    weights[[3, 40]] = 1.0
    assert_array_equal(some_rows(50, weights), [3, 40])


def test_noise_by_weights_is_that_of_rows_as_often(rng):
    draws, y = rng.normal(size=(8, 60, 1)), rng.normal(size=(60, 1))
    times = rng.integers(0, 4, size=60)
    repeated = np.repeat(np.arange(60), times)
    whole = noise_of(draws[:, repeated], y[repeated])
    assert_allclose(noise_of(draws, y, times.astype(float)), whole, rtol=1e-3)


def test_quantiles_of_large_and_endless_rates_are_found():
    rates = np.array([[1e16, 3.0, np.inf], [1.5e16, 4.0, 1.0]])[:, None, :]
    found = Poissons(rates).quantile(0.9)[0]
    assert 1e16 <= found[0] <= 1.6e16
    assert found[1] == 6
    assert found[2] == np.inf


def test_intervals_of_what_was_never_negative_are_not(rng):
    mixture = Gaussians(rng.normal(-3, 1, size=(5, 4, 1)), np.array([2.0]), SKEWED)
    assert (mixture.quantile(0.05) == 0).all()
    own = Gaussians(mixture.centers, mixture.spread, OwnUnits())
    assert (own.quantile(0.05) < 0).all()


def test_far_from_all_data_moments_stay_finite():
    wild = with_own_noise(np.array([[[40.0, 900.0]], [[-500.0, -900.0]]]), SKEWED)
    assert np.isfinite(spread(wild)).all()


def test_a_quantile_has_the_same_bits_alone_as_among_others(rng):
    centers = rng.normal(size=(9, 40, 1)) * np.geomspace(0.01, 10, 40)[:, None]
    whole = Gaussians(centers, np.array([0.3]), OwnUnits()).quantile(0.93)
    for row in range(40):
        alone = Gaussians(centers[:, [row]], np.array([0.3]), OwnUnits()).quantile(0.93)
        assert_array_equal(alone[0], whole[row])
