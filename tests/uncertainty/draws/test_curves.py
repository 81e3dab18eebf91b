"""Distributions with given quantiles: what they say fits together, and to what was learned."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from thinnet import Pinball
from thinnet.tables.targets import TargetScale
from thinnet.uncertainty.draws.curves import Curves
from thinnet.uncertainty.draws.heads import NumberHead
from thinnet.uncertainty.draws.mixtures import OWN_UNITS, Mixture
from thinnet.uncertainty.draws.shapes import Shape
from thinnet.uncertainty.draws.spreads import spread

LEVELS = (0.05, 0.3, 0.5, 0.9)
DRAWS, ROWS, OUTPUTS = 6, 5, 2
LOGGED = TargetScale(np.array([0.5, 1.0]), np.array([2.0, 1.5]), np.array([3.0, 0.0]))
SHAPE = Shape(np.array([-1.5, 0.0, 1.2]), np.array([[-1.0, 0.2, 2.0], [-2.5, 0.0, 1.0]]))


def outputs(rng, crossing=False):
    found = rng.normal(size=(DRAWS, ROWS, len(LEVELS), OUTPUTS))
    found = found if crossing else np.sort(found, axis=2)
    return found.reshape(DRAWS, ROWS, -1)


def curves(rng, units=OWN_UNITS, shape=None, crossing=False):
    return Curves.of(outputs(rng, crossing), Pinball(LEVELS), units, shape)


each = pytest.mark.parametrize(
    ("units", "shape"), [(OWN_UNITS, None), (OWN_UNITS, SHAPE), (LOGGED, None), (LOGGED, SHAPE)]
)


def test_quantiles_at_the_levels_are_the_means_of_those_of_the_draws(rng):
    z = outputs(rng)
    found = Curves.of(z, Pinball(LEVELS), OWN_UNITS, None)
    wanted = z.reshape(DRAWS, ROWS, len(LEVELS), OUTPUTS).mean(axis=0)
    for i, level in enumerate(LEVELS):
        assert_allclose(found.quantile(level), wanted[:, i], atol=1e-12)


def test_quantiles_that_cross_are_brought_into_order(rng):
    found = curves(rng, crossing=True)
    values = np.stack([found.quantile(level) for level in np.linspace(0.001, 0.999, 99)])
    assert (np.diff(values, axis=0) > 0).all()
    alike = Curves.of(np.zeros((DRAWS, ROWS, 4 * OUTPUTS)), Pinball(LEVELS), OWN_UNITS, None)
    assert (alike.quantile(0.9) > alike.quantile(0.1)).all()
    assert np.isfinite(alike.log_density(np.zeros((ROWS, OUTPUTS)))).all()


@each
def test_the_distribution_at_a_quantile_is_its_level(units, shape, rng):
    found = curves(rng, units, shape)
    assert isinstance(found, Mixture)
    for level in (0.2, 0.5, 0.7, 0.95):
        y = found.quantile(level)
        inside = y > found.units.least
        assert_allclose(found.distribution(y)[inside], level, atol=1e-9)


@each
def test_the_density_is_the_derivative_of_the_distribution(units, shape, rng):
    found = curves(rng, units, shape)
    y = found.quantile(0.62)
    less, more = (found.distribution(y + step) for step in (-1e-6, 1e-6))
    slopes = (more - less) / 2e-6
    assert_allclose(found.log_density(y), np.log(slopes).sum(axis=1), rtol=1e-4, atol=1e-4)


def test_moments_are_those_of_the_density(rng):
    found = curves(rng, shape=SHAPE)
    mean, std = found.moments()
    levels = stats.norm.cdf(np.linspace(-8, 8, 4001))
    y = np.stack([found.quantile(p) for p in levels[1:-1]])
    p = levels[1:-1]
    wanted = integrate.trapezoid(y, p, axis=0)
    assert_allclose(mean, wanted, rtol=0.01, atol=0.01)
    variance = integrate.trapezoid((y - wanted) ** 2, p, axis=0)
    assert_allclose(std, np.sqrt(variance), rtol=0.02)
    together = spread(found)
    assert_array_equal(together.std, std)
    assert_allclose(together.epistemic**2 + together.aleatoric**2, std**2)


def test_a_normal_distribution_is_one(rng):
    z = np.tile(stats.norm(3, 2).ppf(LEVELS), (DRAWS, ROWS, 1))
    found = Curves.of(z, Pinball(LEVELS), OWN_UNITS, None)
    y = rng.normal(3, 4, (ROWS, 1))
    assert_allclose(found.distribution(y), stats.norm(3, 2).cdf(y), atol=1e-9)
    assert_allclose(found.log_density(y), stats.norm(3, 2).logpdf(y)[:, 0], atol=1e-9)
    assert_allclose(found.moments(), [np.full((ROWS, 1), 3), np.full((ROWS, 1), 2)], rtol=1e-3)
    assert_allclose(found.variances(), 4, rtol=1e-9)


def test_a_row_has_the_numbers_that_it_has_alone(rng):
    z = outputs(rng)
    found = Curves.of(z, Pinball(LEVELS), LOGGED, SHAPE)
    alone = Curves.of(z[:, 2:3], Pinball(LEVELS), LOGGED, SHAPE)
    y = found.quantile(0.7)
    assert_array_equal(alone.quantile(0.7)[0], y[2])
    assert_array_equal(alone.log_density(y[2:3])[0], found.log_density(y)[2])
    assert_array_equal(alone.moments()[1][0], found.moments()[1][2])


def test_one_level_is_no_distribution_but_has_draws(rng):
    head = NumberHead("quantile", 2, levels=(0.9,))
    z = rng.normal(size=(DRAWS, ROWS, 2))
    assert (head.width, head.has_distributions) == (2, False)
    assert_allclose(head.of_draws(z), z)
    with pytest.raises(ValueError, match="quantile must be two levels at least to give distrib"):
        head.mixture(z)
