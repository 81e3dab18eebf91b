"""Optimisers, by closed forms, and what they refuse."""

import math
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import SGD, Adagrad, Adam, AdamW, RMSprop
from thinnet.layers.presence import Presence
from thinnet.optimizers import Optimizer, clip_norm, update
from thinnet.schedules import Constant, Linear

ALL = [
    SGD(0.1),
    SGD(0.1, momentum=0.9),
    SGD(0.1, momentum=0.9, nesterov=True),
    Adagrad(0.1),
    RMSprop(0.1),
    Adam(0.1),
    AdamW(0.1),
]
every = pytest.mark.parametrize("optimizer", ALL)


def walk(optimizer, gradient, n_steps, theta=0.0, learning_rate=0.1):
    """theta before and after each of `n_steps` under a constant gradient."""
    theta = np.array([float(theta)])
    state, path = optimizer.start(theta), [theta[0]]
    for step in range(n_steps):
        update(optimizer, theta, np.array([float(gradient)]), state, step, learning_rate)
        path.append(theta[0])
    return np.array(path)


@every
def test_an_optimizer_is_a_frozen_value(optimizer):
    assert isinstance(optimizer, Optimizer)
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer
    assert len({optimizer, pickle.loads(pickle.dumps(optimizer))}) == 1


@every
def test_a_step_is_pure(optimizer, rng):
    theta, gradient, state = rng.normal(size=5), rng.normal(size=5), optimizer.start(np.ones(5))
    before = theta.copy(), gradient.copy(), [part.copy() for part in state]
    one, new = optimizer.step(theta, gradient, state, 1, 0.1)
    again, _ = optimizer.step(theta, gradient, state, 1, 0.1)
    assert_array_equal(theta, before[0])
    assert_array_equal(gradient, before[1])
    for old, kept in zip(before[2], state, strict=True):
        assert_array_equal(kept, old)
    assert_array_equal(one, again)
    for part, fresh in zip(state, new, strict=True):
        assert not np.shares_memory(part, fresh)


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_a_step_keeps_the_type_of_the_parameters(optimizer, dtype):
    theta = np.ones(3, dtype)
    for t in (1, np.array([1.0, 1.5, 2.0])):
        new, state = optimizer.step(theta, theta, optimizer.start(theta), t, 0.1)
        assert {part.dtype for part in (new, *state)} == {np.dtype(dtype)}


@every
def test_the_first_step_goes_against_the_gradient(optimizer):
    for gradient in (-3.0, 3.0):
        assert np.sign(walk(optimizer, gradient, 1)[1]) == -np.sign(gradient)


@pytest.mark.parametrize("optimizer", [o for o in ALL if not isinstance(o, AdamW)])
def test_without_a_gradient_nothing_moves(optimizer):
    assert_array_equal(walk(optimizer, 0.0, 3, theta=2.0), [2.0] * 4)


@every
def test_parameters_do_not_see_each_other(optimizer, rng):
    together, gradient = rng.normal(size=4), rng.normal(size=4)
    apart = [together[i : i + 1].copy() for i in range(4)]
    state, states = optimizer.start(together), [optimizer.start(part) for part in apart]
    for step in range(3):
        update(optimizer, together, gradient, state, step, 0.1)
        for i in range(4):
            update(optimizer, apart[i], gradient[i : i + 1], states[i], step, 0.1)
    assert_array_equal(together, np.concatenate(apart))


def test_plain_descent_walks_learning_rate_times_gradient():
    assert_allclose(np.diff(walk(SGD(0.1), 3.0, 5)), -0.3)


def test_momentum_sums_a_geometric_series():
    steps = [-0.3 * (1 - 0.9 ** (k + 1)) / 0.1 for k in range(6)]
    assert_allclose(np.diff(walk(SGD(0.1, momentum=0.9), 3.0, 6)), steps)


def test_nesterov_is_momentum_one_term_ahead():
    steps = [-0.3 * (1 - 0.9 ** (k + 2)) / 0.1 for k in range(6)]
    assert_allclose(np.diff(walk(SGD(0.1, momentum=0.9, nesterov=True), 3.0, 6)), steps)


def test_adagrads_steps_shrink_with_the_root_of_their_number():
    steps = [-0.1 / math.sqrt(k) for k in range(1, 7)]
    assert_allclose(np.diff(walk(Adagrad(0.1), 3.0, 6)), steps, rtol=1e-8)


def test_rmsprops_steps_follow_a_geometric_mean_square():
    steps = [-0.1 / math.sqrt(1 - 0.9**k) for k in range(1, 7)]
    assert_allclose(np.diff(walk(RMSprop(0.1, rho=0.9), 3.0, 6)), steps, rtol=1e-7)


@pytest.mark.parametrize("gradient", [1e-3, 1.0, -7.0, 1e6])
@pytest.mark.parametrize("optimizer", [Adam(0.1), AdamW(0.1, weight_decay=0.0)])
def test_under_a_constant_gradient_adam_walks_one_learning_rate_a_step(optimizer, gradient):
    path = walk(optimizer, gradient, 50)
    assert_allclose(np.diff(path), -0.1 * np.sign(gradient), rtol=2e-5)


def test_adam_follows_its_moments_under_an_alternating_gradient():
    theta, optimizer = np.zeros(1), Adam(0.1, beta_1=0.8, beta_2=0.95)
    state, g = optimizer.start(theta), [2.0, -1.0, 0.5, 3.0]
    expected = 0.0
    for step in range(4):
        update(optimizer, theta, np.array([g[step]]), state, step, 0.1)
        n = step + 1
        m = sum(0.2 * 0.8 ** (n - 1 - i) * g[i] for i in range(n)) / (1 - 0.8**n)
        v = sum(0.05 * 0.95 ** (n - 1 - i) * g[i] ** 2 for i in range(n)) / (1 - 0.95**n)
        expected -= 0.1 * m / (math.sqrt(v) + 1e-8)
        assert theta[0] == pytest.approx(expected, rel=1e-12)


def test_adams_epsilon_stands_beside_the_root():
    assert walk(Adam(0.1, epsilon=3.0), 1.0, 1)[1] == pytest.approx(-0.1 / 4)


def test_decoupled_decay_shrinks_by_learning_rate_times_decay_a_step():
    path = walk(AdamW(0.1, weight_decay=0.5), 0.0, 4, theta=2.0)
    assert_allclose(path, 2 * 0.95 ** np.arange(5))


def test_decoupled_decay_does_not_enter_adams_moments():
    adam = walk(Adam(0.1), 3.0, 1, theta=2.0)[1]
    assert walk(AdamW(0.1, weight_decay=0.5), 3.0, 1, theta=2.0)[1] == pytest.approx(adam - 0.1)


@every
def test_a_step_at_learning_rate_zero_moves_nothing_but_the_state(optimizer):
    assert_array_equal(walk(optimizer, 3.0, 3, theta=2.0, learning_rate=0.0), [2.0] * 4)


@every
def test_an_update_changes_only_what_is_present(optimizer, rng):
    kept, probability = np.array([True, False, True, False]), np.full(4, 0.5)
    presence = Presence(kept, probability)
    theta, state = rng.normal(size=4), [part + 1.5 for part in optimizer.start(np.zeros(4))]
    state = type(optimizer.start(np.zeros(4)))(*state)
    before, parts = theta.copy(), [part.copy() for part in state]
    update(optimizer, theta, rng.normal(size=4), state, 3, 0.1, presence)
    assert_array_equal(theta == before, ~kept)
    for old, new in zip(parts, state, strict=True):
        assert_array_equal(new == old, ~kept)


@every
def test_an_update_with_everything_present_for_sure_is_a_plain_one(optimizer, rng):
    gradient, start = rng.normal(size=4), rng.normal(size=4)
    ends = []
    for presence in (None, Presence(np.ones(4, bool), np.ones(4))):
        theta = start.copy()
        state = optimizer.start(theta)
        for step in range(3):
            update(optimizer, theta, gradient, state, step, 0.1, presence)
        ends.append(theta)
    assert_allclose(*ends, rtol=1e-15)


@pytest.mark.parametrize(
    ("length", "limit", "expected"),
    [(5.0, 1.0, 1.0), (5.0, 5.0, 5.0), (5.0, 9.0, 5.0), (0.0, 1.0, 0.0)],
)
def test_clipping_shortens_a_long_gradient_and_keeps_its_direction(length, limit, expected):
    gradient = length * np.array([0.6, 0.8])
    clip_norm(gradient, limit)
    assert_allclose(gradient, expected * np.array([0.6, 0.8]), rtol=1e-14)


def test_clipping_a_float32_gradient_does_not_overflow():
    gradient = np.full(4, 1e30, np.float32)
    clip_norm(gradient, 1.0)
    assert_allclose(gradient, 0.5, rtol=1e-6)


@pytest.mark.parametrize("cls", [SGD, Adagrad, RMSprop, Adam, AdamW])
def test_a_learning_rate_may_be_a_schedule(cls):
    rule = Linear(0.1, 0.0, n_steps=5)
    assert cls(rule).learning_rate == rule


@pytest.mark.parametrize("cls", [SGD, Adagrad, RMSprop, Adam, AdamW])
@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf, "fast", None, True, Constant(-1.0)])
def test_a_learning_rate_out_of_its_range_is_refused_by_name(cls, bad, untyped):
    with pytest.raises(ValueError, match=r"^learning_rate (at step 0 )?must be "):
        cls(bad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), r"momentum must be a number in \[0, 1\), got 1.0"),
        (lambda: SGD(momentum=-0.1), r"momentum must be a number in \[0, 1\), got -0.1"),
        (lambda: SGD(nesterov=1), "nesterov must be True or False, got 1"),
        (lambda: SGD(nesterov=True), r"momentum must be in \(0, 1\) with nesterov=True, got 0"),
        (lambda: Adagrad(epsilon=0), "epsilon must be a finite number > 0, got 0"),
        (lambda: RMSprop(rho=1), r"rho must be a number in \[0, 1\), got 1"),
        (lambda: RMSprop(epsilon=-1), "epsilon must be a finite number > 0, got -1"),
        (lambda: Adam(beta_1=1.0), r"beta_1 must be a number in \[0, 1\), got 1.0"),
        (lambda: Adam(beta_2=-1), r"beta_2 must be a number in \[0, 1\), got -1"),
        (lambda: Adam(epsilon=0.0), "epsilon must be a finite number > 0, got 0.0"),
        (lambda: AdamW(beta_1=math.nan), r"beta_1 must be a number in \[0, 1\), got nan"),
        (lambda: AdamW(beta_2=1), r"beta_2 must be a number in \[0, 1\), got 1"),
        (lambda: AdamW(epsilon=0), "epsilon must be a finite number > 0, got 0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be a finite number >= 0, got -1"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(make, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
