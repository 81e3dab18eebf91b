"""Penalties and max-norm: their formulas, where they act, and other libraries' conventions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from oracles import numeric_gradient

from thinnet import (
    SGD,
    Dense,
    DropConnect,
    Network,
    ReLU,
    Run,
    SquaredError,
    train,
)
from thinnet.training.penalties import Penalty, add_penalty_gradient, limit_norms, penalty_value

numbers = st.floats(-100, 100)


def network_with(rng, **dense):
    network = Network([Dense(5, **dense), ReLU(), Dense(2)], 4, seed=1, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    return network


@given(arrays(float, st.integers(0, 6), elements=numbers), st.floats(0, 10), st.floats(0, 10))
def test_a_penalty_is_l1_times_absolute_values_plus_l2_times_squares(w, l1, l2):
    expected = sum(l1 * abs(float(v)) + l2 * float(v) ** 2 for v in w)
    assert Penalty(l1, l2).value(w) == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_a_penalty_is_the_derivative_of_its_value(rng):
    w = rng.normal(size=(3, 4))
    for penalty in (Penalty(l1=0.3), Penalty(l2=0.7), Penalty(0.3, 0.7)):
        numeric = numeric_gradient(lambda penalty=penalty: penalty.value(w), w)
        assert_allclose(penalty.gradient(w), numeric, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_the_gradient_of_a_penalty_has_the_type_of_its_weights(dtype):
    assert Penalty(0.1, np.float64(0.2)).gradient(np.ones(3, dtype)).dtype == dtype


def test_the_absolute_value_has_no_slope_at_zero():
    assert_array_equal(Penalty(l1=1.0).gradient(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize(
    ("setting", "parameter", "value"),
    [
        ("l1", "W", lambda w: 0.5 * np.abs(w).sum()),
        ("l2", "W", lambda w: 0.5 * (w**2).sum()),
        ("bias_l1", "b", lambda w: 0.5 * np.abs(w).sum()),
        ("bias_l2", "b", lambda w: 0.5 * (w**2).sum()),
    ],
    ids=["l1", "l2", "bias_l1", "bias_l2"],
)
@pytest.mark.parametrize("wrap", [False, True], ids=["Dense", "DropConnect"])
def test_a_setting_of_dense_penalises_its_own_parameter(setting, parameter, value, wrap, rng):
    layer = Dense(5, **{setting: 0.5})
    network = Network([DropConnect(layer, 0.5) if wrap else layer], 4, seed=1, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    w = getattr(network.sites[0].p, parameter)
    assert penalty_value(network) == pytest.approx(value(w))
    network.gradient[:] = 7
    add_penalty_gradient(network)
    for name in ("W", "b"):
        changed = (getattr(network.sites[0].g, name) != 7).all()
        assert changed == (name == parameter)


def test_penalties_of_all_layers_add_up(rng):
    network = Network([Dense(5, l1=1.0), Dense(3, bias_l2=2.0)], 4, seed=1, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    expected = np.abs(network.sites[0].p.W).sum() + 2 * (network.sites[1].p.b ** 2).sum()
    assert penalty_value(network) == pytest.approx(expected)


def test_a_network_without_penalties_has_none(rng):
    network = network_with(rng)
    network.gradient[:] = 7
    add_penalty_gradient(network)
    assert penalty_value(network) == 0
    assert (network.gradient == 7).all()


def test_penalties_are_added_to_the_gradient_and_change_no_parameter(rng):
    network, x = network_with(rng, l2=0.5), rng.normal(size=(6, 4))
    theta = network.theta.copy()
    y, cache = network.forward(x, Run.train(0))
    network.backward(cache, y)
    before = network.gradient.copy()
    add_penalty_gradient(network)
    difference = np.zeros_like(theta)
    difference[:20] = 2 * 0.5 * theta[:20]
    assert_allclose(network.gradient, before + difference, rtol=1e-12)
    assert_array_equal(network.theta, theta)


def test_half_the_weight_decay_of_sgd_is_l2(rng):
    """theta - lr * (g + wd * theta), as PyTorch decays, where l2 = wd / 2."""
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    ends = []
    for l2 in (0.0, 0.1):
        network = Network([Dense(3, l2=l2)], 4, seed=1, dtype=np.float64)
        start = network.sites[0].p.W.copy()
        train(network, x, y, loss=SquaredError(), optimizer=SGD(0.5), epochs=1, progress=False)
        ends.append(network.sites[0].p.W.copy())
    assert_allclose(ends[1], ends[0] - 0.5 * 0.2 * start)


def test_max_norm_scales_long_rows_back_and_leaves_short_ones(rng):
    network = network_with(rng, max_norm=1.0)
    site = network.sites[0]
    site.p.W[0] *= 0.5 / np.linalg.norm(site.p.W[0])
    site.p.W[1] *= 3 / np.linalg.norm(site.p.W[1])
    before = network.theta.copy()
    long = site.p.W[1].copy()
    limit_norms(network, Run.train(0))
    assert_array_equal(site.p.W[0], before[:4])
    assert_allclose(site.p.W[1], long / 3)
    assert_array_equal(network.theta[20:], before[20:])
    assert (np.linalg.norm(site.p.W, axis=1) <= 1 + 1e-12).all()


def test_max_norm_acts_on_the_weights_of_drop_connect_too(rng):
    network = Network([DropConnect(Dense(5, max_norm=0.1), 0.5)], 4, seed=1, dtype=np.float64)
    limit_norms(network, Run.train(0))
    assert_allclose(np.linalg.norm(network.sites[0].p.W, axis=1), 0.1)


def test_max_norm_leaves_a_row_of_zeros():
    network = Network([Dense(5, max_norm=1.0, initializer="zeros")], 4, seed=1)
    limit_norms(network, Run.train(0))
    assert not network.theta.any()


def test_max_norm_holds_after_each_step_of_training(rng):
    network = network_with(rng, max_norm=0.7)
    train(
        network,
        rng.normal(size=(20, 4)),
        rng.normal(size=(20, 2)),
        optimizer=SGD(1.0),
        epochs=3,
        progress=False,
    )
    assert (np.linalg.norm(network.sites[0].p.W, axis=1) <= 0.7 * (1 + 1e-12)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Penalty(l1=-1.0), "l1 must be a finite number >= 0, got -1.0"),
        (lambda: Penalty(l2=np.nan), "l2 must be a finite number >= 0, got nan"),
        (lambda: Penalty(l2=np.inf), "l2 must be a finite number >= 0, got inf"),
    ],
)
def test_a_negative_or_infinite_factor_is_refused(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
