"""Functions of float64 that need no compiler have the bits of the oracle, wherever they stand."""

import arithmetic_numbers as oracle
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from thinnet import arithmetic
from thinnet.arithmetic.functions import PART

EPSILON = np.finfo(np.float64).eps
FUNCTIONS = [
    # name, the oracle's, another's, its error in units of epsilon, where
    ("exp", oracle.exp, np.errstate(over="ignore")(np.exp), 3, (-760, 720)),
    ("expm1", oracle.expm1, np.expm1, 5, (-3, 3)),
    ("log", oracle.log, np.log, 4, (0, 9)),
    ("log1p", oracle.log1p, np.log1p, 5, (-1, 4)),
    ("sigmoid", oracle.sigmoid, special.expit, 4, (-40, 40)),
    ("softplus", oracle.softplus, lambda x: np.logaddexp(x, 0), 5, (-40, 40)),
    ("normal_cdf", oracle.cdf, special.ndtr, 80, (-7, 7)),
    ("normal_quantile", oracle.normal_quantile, special.ndtri, 80, (0, 0.45)),
    ("log_gamma", oracle.lgamma, special.gammaln, 40, (3, 999)),
]
BY_NAME = pytest.mark.parametrize(("name", "own", "other", "ulps", "ends"), FUNCTIONS)
SPECIAL = np.array([0.0, -0.0, 1e-320, -1e-320, np.inf, -np.inf, np.nan])


@BY_NAME
def test_a_function_has_the_bits_of_the_oracle_and_is_right(name, own, other, ulps, ends, rng):
    x = rng.uniform(*ends, 500)
    found = getattr(arithmetic, name)(x)
    assert_array_equal(found, [own(float(number)) for number in x])
    assert_allclose(found, other(x), rtol=ulps * EPSILON, atol=5e-324)


@BY_NAME
def test_a_value_does_not_depend_on_the_numbers_beside_it(name, own, other, ulps, ends, rng):
    x = rng.uniform(*ends, (3, PART))
    function = getattr(arithmetic, name)
    whole, places = function(x), rng.integers(x.size, size=40)
    assert whole.shape == x.shape
    alone = [function(x.ravel()[place]) for place in places]
    assert_array_equal(alone, whole.ravel()[places])
    assert_array_equal(function(x[:, ::3]), whole[:, ::3])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (arithmetic.exp, [1, 1, 1, 1, np.inf, 0, np.nan]),
        (arithmetic.expm1, [0, 0, 1e-320, -1e-320, np.inf, -1, np.nan]),
        (arithmetic.log, [-np.inf, -np.inf, np.log(1e-320), np.nan, np.inf, np.nan, np.nan]),
        (arithmetic.log1p, [0, 0, 1e-320, -1e-320, np.inf, np.nan, np.nan]),
        (arithmetic.sigmoid, [0.5, 0.5, 0.5, 0.5, 1, 0, np.nan]),
        (arithmetic.softplus, [np.log(2)] * 4 + [np.inf, 0, np.nan]),
        (arithmetic.normal_cdf, [0.5, 0.5, 0.5, 0.5, 1, 0, np.nan]),
        (arithmetic.entropy_of, [0, 0, 7.3683e-318, np.nan, -np.inf, np.nan, np.nan]),
    ],
)
def test_ends_infinities_and_nan_are_met_quietly(function, expected):
    assert_allclose(function(SPECIAL), expected, rtol=1e-15, atol=1e-319)


def test_of_a_fast_exponential_and_one_near_the_ends_of_the_range_the_bits_are_the_same(rng):
    x = rng.uniform(-700, 700, 1000)
    assert_array_equal(arithmetic.exp(np.append(x, 1000.0))[:-1], arithmetic.exp(x))


@pytest.mark.parametrize("rate", [0.01, 0.9, 7.3, 60.0, 149.7])
def test_a_poisson_variable_has_the_chances_of_the_oracle(rate):
    k = np.arange(150.0)
    chances = arithmetic.poisson_log_chance(k, rate)
    assert_array_equal(chances, [oracle.log_chance(each, rate) for each in k.tolist()])
    below = arithmetic.poisson_cdf(k, rate)
    assert_array_equal(below, [oracle.poisson_cdf(each, rate) for each in k.tolist()])
    assert_allclose(below, np.cumsum(np.exp(chances)), rtol=1e-13)
    assert_allclose(below, special.pdtr(k, rate), rtol=1e-11)


@pytest.mark.parametrize("k", [151.0, 2000.0, 1e6])
def test_large_counts_have_the_distribution_of_small_ones(k):
    rate = k + np.linspace(-6, 6, 49) * np.sqrt(k)
    assert_allclose(arithmetic.poisson_cdf(k, rate), special.pdtr(k, rate), atol=3e-10)
    gap = arithmetic.poisson_cdf(k, rate) - arithmetic.poisson_cdf(k - 1, rate)
    assert_allclose(gap, np.exp(arithmetic.poisson_log_chance(k, rate)), atol=2e-14)


def test_counts_and_rates_at_the_ends():
    k, rate = [-1, 0, 3, 5, 3, 3, 1e9], [2, 0, 0, np.inf, np.nan, 1e300, 1e9]
    found = arithmetic.poisson_cdf(k, rate)
    assert_allclose(found, [0, 1, 1, 0, np.nan, 0, 0.5], atol=1e-4)
    found = arithmetic.poisson_log_chance([0, 0, 2, 2], [0, np.inf, 0, np.inf])
    assert_array_equal(found, [0, -np.inf, -np.inf, -np.inf])


@pytest.mark.parametrize("base", [1.0, 1.5, 60.0, 1e6 + 1])
@pytest.mark.parametrize("exponent", [0, 1, 3, -2, 0.5, 0.25, 1.7])
def test_a_power_is_right_to_rounding(base, exponent):
    assert_allclose(arithmetic.power(base, exponent), base**exponent, rtol=60 * EPSILON)


@pytest.mark.parametrize("x", [0.03, 0.7, 0.71, 1, 1.41, 1.42, 3, 1e5])
def test_the_nearest_power_of_two_is_that_of_the_logarithm(x):
    assert arithmetic.nearest_power_of_two(x) == round(np.log2(x))
