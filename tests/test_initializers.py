"""First weights: variances, bounds, and that a weight depends on nothing but its address."""

import math

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from thinnet import (
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Identity,
    LeakyReLU,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    initializers,
)

UNITS, WIDTH = 400, 200
RULES = {  # the variance of a weight, and its bound
    "glorot_uniform": (2 / (UNITS + WIDTH), math.sqrt(6 / (UNITS + WIDTH))),
    "glorot_normal": (2 / (UNITS + WIDTH), None),
    "he_uniform": (2 / WIDTH, math.sqrt(6 / WIDTH)),
    "he_normal": (2 / WIDTH, None),
    "lecun_uniform": (1 / WIDTH, math.sqrt(3 / WIDTH)),
    "lecun_normal": (1 / WIDTH, None),
}


def weights(rule, units=UNITS, width=WIDTH, seed=6, behind=()):
    network = Network([Dense(units, rule), *behind], width, seed=seed, dtype=np.float64)
    return network.sites[0].p.W.copy()


@pytest.mark.parametrize("rule", RULES)
def test_weights_have_mean_zero_and_the_variance_of_their_rule(rule):
    """80,000 weights: a variance off by 4 % is found with power over 0.99."""
    W, (variance, _) = weights(rule), RULES[rule]
    assert abs(W.mean()) < 4 * math.sqrt(variance / W.size)
    assert abs(W.var() / variance - 1) < 4 * math.sqrt(2 / W.size)


@pytest.mark.parametrize("rule", RULES)
def test_weights_have_the_distribution_of_their_rule(rule):
    W, (variance, bound) = weights(rule).ravel(), RULES[rule]
    if bound is None:
        assert stats.kstest(W / math.sqrt(variance), "norm").pvalue > 1e-4
    else:
        assert 0.999 * bound < np.abs(W).max() < bound
        assert stats.kstest(W, stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-4


@pytest.mark.parametrize(("units", "width"), [(6, 6), (4, 9), (9, 4), (1, 5), (5, 1)])
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(units, width, gain):
    W = weights(initializers.Orthogonal(gain), units, width) / gain
    gram = W @ W.T if units <= width else W.T @ W
    assert_allclose(gram, np.eye(min(units, width)), atol=1e-12)


def test_orthogonal_matrices_favour_no_sign_on_their_diagonal(untyped):
    """200 matrices of 3 x 3: a sign-biased factorisation (QR's own) shows as a mean off by more
    than 0.1 in the trace (standard error 0.07 for a uniform one)."""
    traces = [np.trace(weights(initializers.Orthogonal(), 3, 3, seed=s)) for s in range(200)]
    assert abs(np.mean(traces)) < 0.3


def test_normal_weights_have_the_scale_that_was_asked_for():
    W = weights(initializers.Normal(0.2))
    assert abs(W.std() / 0.2 - 1) < 4 / math.sqrt(2 * W.size)


def test_zeros_are_zero_and_so_are_all_biases():
    assert not weights("zeros").any()
    network = Network([Dense(8), ReLU(), DropConnect(Dense(3), 0.1)], 4, seed=0)
    assert not network.sites[0].p.b.any()
    assert not network.sites[2].p.b.any()


@pytest.mark.parametrize("rule", [*RULES, initializers.Normal(1.0)])
def test_a_wider_network_starts_with_the_weights_of_the_narrower_one_up_to_the_scale(rule):
    small, large = weights(rule, 5, 7), weights(rule, 11, 30)
    part = large[:5, :7]
    assert_allclose(part / part[0, 0], small / small[0, 0], rtol=1e-12)


def test_he_normal_weights_are_the_specifications_normals():
    """Purpose 2, the layer's position, step 0, one sample a unit, one unit an input."""
    network = Network([ReLU(), Dense(3, "he_normal")], 6, seed=9, dtype=np.float64)
    drawn = oracles.normal_rows(9, "weights", 1, 0, [0, 1, 2], 6)
    assert_allclose(network.sites[1].p.W, drawn * math.sqrt(2 / 6), rtol=0, atol=1e-6)


def test_layers_of_one_shape_start_differently():
    network = Network([Dense(5), Dense(5), Dense(5)], 5, seed=1)
    first, second, third = (site.p.W for site in network.sites)
    assert (first != second).any()
    assert (second != third).any()


def test_weights_follow_the_seed():
    assert_array_equal(weights("he_normal", seed=1), weights("he_normal", seed=1))
    assert (weights("he_normal", seed=1) != weights("he_normal", seed=2)).all()


@pytest.mark.parametrize(
    ("activation", "rule"),
    [
        (ReLU(), "he_normal"),
        (LeakyReLU(), "he_normal"),
        (ELU(), "he_normal"),
        (GELU(), "he_normal"),
        (SiLU(), "he_normal"),
        (SELU(), "lecun_normal"),
        (Tanh(), "glorot_uniform"),
        (Sigmoid(), "glorot_uniform"),
        (Softmax(), "glorot_uniform"),
        (Softplus(), "glorot_uniform"),
        (Identity(), "glorot_uniform"),
    ],
)
def test_the_default_rule_suits_the_activation_that_follows(activation, rule):
    expected = weights(rule)
    assert_array_equal(weights(None, behind=[activation]), expected)
    assert_array_equal(weights(None, behind=[Dropout(0.1), activation]), expected)
    assert_array_equal(weights(None, behind=[BatchNorm(), activation]), expected)


def test_the_default_rule_looks_no_further_than_the_next_dense():
    assert_array_equal(weights(None, behind=[Dense(3), ReLU()]), weights("glorot_uniform"))
    assert_array_equal(weights(None), weights("glorot_uniform"))


def test_a_rule_of_its_own_beats_the_default():
    assert_array_equal(weights("zeros", behind=[ReLU()]), np.zeros((UNITS, WIDTH)))


def test_a_function_of_stream_units_and_width_is_a_rule():
    W = weights(lambda stream, units, width: np.full((units, width), 3.0), 2, 4)
    assert_array_equal(W, np.full((2, 4), 3.0))


@pytest.mark.parametrize("rule", [*RULES, "orthogonal"])
def test_drop_connect_starts_as_its_dense_layer_does(rule):
    network = Network([DropConnect(Dense(8, rule), 0.5)], 4, seed=6, dtype=np.float64)
    assert_array_equal(network.sites[0].p.W, weights(rule, 8, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: weights("he"), "initializer must be 'glorot_uniform' or .* got 'he'"),
        (lambda: weights(3.0), "initializer must be a name or an Initializer, got 3.0"),
        (lambda: initializers.Normal(-1.0), "scale must be a finite number >= 0, got -1.0"),
        (lambda: initializers.Orthogonal(math.nan), "gain must be a finite number, got nan"),
    ],
)
def test_a_bad_rule_is_refused(make, message, untyped):
    with pytest.raises(ValueError, match=message):
        make()
