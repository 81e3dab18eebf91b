"""Mixtures, means of draws and measures of classes have the bits of docs/arithmetic.md."""

import arithmetic_numbers as numbers
import arithmetic_results as oracle
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet.uncertainty.draws import measures, reducing
from thinnet.uncertainty.draws.mixtures import OWN_UNITS, Gaussians, Poissons

N_DRAWS = [1, 2, 16, 17, 50]
SPREAD = np.array([0.7, 1.3])
BY_DRAWS = pytest.mark.parametrize("n", N_DRAWS)


@BY_DRAWS
def test_a_mixture_of_gaussians_is_the_oracles(n, rng):
    centers, y = rng.normal(size=(n, 6, 2)), rng.normal(size=(6, 2)) * 3
    mixture = Gaussians(centers, SPREAD, OWN_UNITS)
    log_density, below = mixture.log_density(y), mixture.distribution(y)
    quantiles = mixture.quantile(0.9)
    for row in range(6):
        expected = oracle.gaussian_log_density(centers[:, row], SPREAD.tolist(), y[row].tolist())
        assert log_density[row] == expected
        for j, spread in enumerate(SPREAD.tolist()):
            own = centers[:, row, j].tolist()
            assert below[row, j] == oracle.gaussian_cdf(own, spread, float(y[row, j]))
            assert quantiles[row, j] == oracle.gaussian_quantile(own, spread, 0.9)


@BY_DRAWS
def test_a_mixture_of_poissons_is_the_oracles(n, rng):
    rates, y = np.exp(rng.normal(1, 1, size=(n, 6, 2))), rng.poisson(3, size=(6, 2)) + 0.0
    mixture = Poissons(rates)
    log_density, below, quantiles = mixture.log_density(y), mixture.distribution(y), None
    quantiles = mixture.quantile(0.8)
    for row in range(6):
        assert log_density[row] == oracle.poisson_log_density(rates[:, row], y[row].tolist())
        for j in range(2):
            own = rates[:, row, j].tolist()
            assert below[row, j] == oracle.poisson_distribution(own, float(y[row, j]))
            assert quantiles[row, j] == oracle.poisson_quantile(own, 0.8)


@pytest.mark.parametrize("level", [1e-6, 0.05, 0.5, 0.975, 1 - 1e-9])
def test_a_quantile_of_counts_is_the_least_that_reaches_its_level(level, rng):
    mixture = Poissons(np.exp(rng.normal(2, 2, size=(5, 40, 1))))
    found = mixture.quantile(level)
    assert (found >= 0).all()
    assert (mixture.distribution(found) >= level).all()
    assert (mixture.distribution(found - 1) < level).all()


@BY_DRAWS
def test_mean_and_variance_over_draws_are_the_oracles(n, rng):
    values = rng.random((n, 4, 3))
    mean, variance = reducing.mean(values), reducing.variance(values)
    for place in np.ndindex(4, 3):
        own = values[:, *place].tolist()
        assert mean[place] == numbers.mean(own)
        assert variance[place] == numbers.variance(own)


@pytest.mark.parametrize("classes", [2, 10, 17])
@BY_DRAWS
def test_entropies_are_the_oracles(n, classes, rng):
    p = rng.random((n, 5, classes)) ** 4
    p /= p.sum(axis=-1, keepdims=True)
    p[0, 0] = np.eye(classes)[0]
    sums = np.array([[numbers.lanes(row) for row in draw] for draw in p.tolist()])
    p = p / sums[..., None]
    total, noise = measures.predictive_entropy(p), measures.expected_entropy(p)
    again = np.array([[numbers.lanes(row) for row in draw] for draw in p.tolist()])
    p = p / again[..., None]  # probabilities that are given are divided by their sum
    for row in range(5):
        center = [numbers.mean(p[:, row, k].tolist()) for k in range(classes)]
        assert noise[row] == numbers.mean([numbers.entropy(each) for each in p[:, row].tolist()])
        assert np.isclose(total[row], numbers.entropy(center), rtol=1e-14)


def test_a_row_has_the_bits_that_it_has_alone(rng):
    centers, y = rng.normal(size=(40, 300, 1)), rng.normal(size=(300, 1))
    whole = Gaussians(centers, np.array([0.3]), OWN_UNITS)
    for rows in (slice(7, 8), slice(100, 140), slice(0, 300, 13)):
        part = Gaussians(centers[:, rows], np.array([0.3]), OWN_UNITS)
        assert_array_equal(part.quantile(0.2), whole.quantile(0.2)[rows])
        assert_array_equal(part.log_density(y[rows]), whole.log_density(y)[rows])
        assert_array_equal(part.distribution(y[rows]), whole.distribution(y)[rows])
