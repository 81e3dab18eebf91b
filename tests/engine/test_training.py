"""Compiled training is the reference's training, on random networks and on all kinds of data."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_networks import (
    ACTIVATIONS,
    KINDS,
    OPTIMIZERS,
    PLAIN,
    Problem,
    assert_alike,
    problems,
    trained,
)
from scipy.sparse import coo_array, csc_array, csr_array
from trying import given_few_or_many

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    DivergedError,
    Dropout,
    Flatten,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    SquaredError,
    Tanh,
    train,
)
from thinnet.engine import stepper
from thinnet.layers import Shapes


@given_few_or_many(40, 150, problems())
def test_compiled_training_is_the_references(problem):
    assert_alike(trained(problem), trained(problem, "reference"), 1e-9)


@given_few_or_many(15, 50, problems())
def test_a_callback_sees_the_gradients_that_the_reference_shows(problem):
    found = trained(problem, watched=True)
    assert_alike(found, trained(problem, "reference", watched=True), 1e-9)
    assert len(found.seen.gradients) == found.network.clock.step


@given_few_or_many(15, 50, problems(optimizers=PLAIN, dtype=np.float32))
def test_in_float32_compiled_training_is_the_references_to_its_rounding(problem):
    """An error of 6e-8 in each number, times sums and steps, and a few kinks crossed.

    Optimisers that divide by the size of a gradient make more of it, so the next test has one
    well-known problem for each.
    """
    assert_alike(trained(problem), trained(problem, "reference"), 2e-3)


def plain_problem(**changes):
    chain = [Dense(16), Tanh(), BatchNorm(), ReLU(), Dropout(0.3), Dense(3)]
    problem = Problem(chain, 6, SoftmaxCrossEntropy(), Adam(0.01), rows=90, batch_size=32, seed=3)
    return dataclasses.replace(problem, **changes)


def test_a_network_without_parameters_has_the_references_loss():
    problem = plain_problem(layers=[Tanh(), Dropout(0.3)], loss=SquaredError())
    found, wanted = (trained(problem, executor) for executor in ("compiled", "reference"))
    assert found.history.last.loss > 0
    assert_alike(found, wanted, 1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_takes_the_references_steps_in_float32(optimizer):
    problem = plain_problem(optimizer=optimizer, dtype=np.float32)
    assert_alike(trained(problem), trained(problem, "reference"), 1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_has_the_references_slope(activation):
    chain = [Dense(16), activation, Dropout(0.3), Dense(3)]
    problem = plain_problem(layers=chain, optimizer=SGD(0.1))
    assert_alike(trained(problem), trained(problem, "reference"), 1e-9)


# Data


def theta_after(X, y, dtype):
    chain = [Flatten(), Tanh(), BatchNorm(), Dropout(0.2, share="batch"), *plain_problem().layers]
    network = plain_problem(layers=chain, features=X.shape[1:], dtype=dtype).network()
    train(network, X, y, epochs=2, batch_size=32, progress=False)
    return network.theta


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", [6, (2, 3)], ids=str)
def test_rows_of_any_type_and_layout_train_as_plain_ones_do(kind, dtype, features):
    X, y = plain_problem(kind=kind, features=features).data()
    before = X.copy()
    plain = np.array(X, dtype, order="C")
    assert_array_equal(theta_after(X, y, dtype), theta_after(plain, y, dtype))
    assert_array_equal(X, before)


@pytest.mark.parametrize("make", [csr_array, csc_array, coo_array])
@pytest.mark.parametrize("values", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("places", [np.int32, np.int64])
def test_sparse_rows_train_as_plain_ones_do(make, values, places):
    X, y = plain_problem(kind="int16").data()
    X = np.where(np.arange(6) < 3, X, 0).astype(values)
    rows = make(X)
    for name in ("indices", "indptr"):
        if hasattr(rows, name):
            setattr(rows, name, getattr(rows, name).astype(places))
    assert_array_equal(theta_after(rows, y, np.float64), theta_after(X, y, np.float64))


def test_sparse_values_that_stand_at_one_place_are_added():
    X, y = plain_problem(kind="int16").data()
    ends = np.arange(0, 6 * 90 + 1, 6)
    twice = [(np.repeat(part, 2), np.repeat(np.arange(6), 2)) for part in X / 2]
    data, columns = (np.concatenate(parts) for parts in zip(*twice, strict=True))
    rows = csr_array((data, columns, 2 * ends), shape=X.shape)
    assert_array_equal(theta_after(rows, y, np.float64), theta_after(X, y, np.float64))


# Divergence


class Jump:
    """A learning rate that is far too large in one step."""

    def __init__(self, step, rate=1e30):
        self.step, self.rate = step, rate

    def __repr__(self):
        return f"Jump({self.step})"

    def at(self, step):
        return self.rate if step == self.step else 1e-3


def diverge(executor, dtype=np.float32, **settings):
    chain = [Dense(6), Tanh(), BatchNorm(), ReLU(), Dropout(0.2, share="batch"), Dense(1)]
    network = Network(chain, features=4, seed=2, dtype=dtype, executor=executor)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)), rng.normal(size=40)
    settings = {"epochs": 5, "batch_size": 8, "progress": False} | settings
    with pytest.raises(DivergedError) as caught:
        train(network, X, y, **settings)
    return network, caught.value


OVERFLOWS = {
    "first step": {"optimizer": SGD(Jump(0))},
    "first epoch": {"optimizer": SGD(Jump(3), momentum=0.5)},
    "end of an epoch": {"optimizer": SGD(Jump(4))},
    "later": {"optimizer": Adam(Jump(13))},
    "clipped": {"optimizer": SGD(Jump(7)), "clip_norm": 1e-3},
    "micro-batches": {"optimizer": SGD(Jump(7)), "accumulate": 2},
    "weights of the last step": {"optimizer": SGD(Jump(24, 1e39))},
    "creeping": {"optimizer": SGD(1e4)},
}


each_overflow = pytest.mark.parametrize("overflow", OVERFLOWS.values(), ids=OVERFLOWS)


@each_overflow
def test_divergence_is_reported_as_by_the_reference(overflow):
    (network, error), (reference, wanted) = (
        diverge(None, **overflow),
        diverge("reference", **overflow),
    )
    assert str(error) == str(wanted)
    assert len(error.history) == len(wanted.history)
    assert network.clock == reference.clock


@each_overflow
def test_the_weights_that_stay_are_those_that_the_reference_keeps(overflow):
    network, reference = (diverge(executor, **overflow)[0] for executor in (None, "reference"))
    assert np.isfinite(network.theta).all()
    assert_allclose(network.theta, reference.theta, rtol=1e-4, atol=1e-6)


@each_overflow
def test_the_statistics_that_stay_are_those_that_the_reference_keeps(overflow):
    network, reference = (diverge(executor, **overflow)[0] for executor in (None, "reference"))
    assert_allclose(network.state, reference.state, rtol=1e-4, atol=1e-5)


@each_overflow
def test_what_stays_does_not_depend_on_how_many_steps_one_call_takes(overflow, monkeypatch):
    kept = []
    for seconds in (0, 1e9):
        monkeypatch.setattr(stepper, "CHUNK_SECONDS", seconds)
        kept.append(diverge(None, **overflow)[0])
    assert_array_equal(kept[0].theta, kept[1].theta)
    assert_array_equal(kept[0].state, kept[1].state)


# What compiled code does not know


class Halve:
    """A user's own layer."""

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        return x / 2, None

    def backward(self, site, cache, dy):
        return dy / 2


class DoubledError(SquaredError):
    """A user's own loss, made from one of ours."""

    def rows(self, outputs, targets):
        each, slope = SquaredError().rows(outputs, targets)
        return 2 * each, 2 * slope


class Backwards(SGD):
    """A user's own optimiser, made from one of ours."""

    def step(self, theta, gradient, state, t, learning_rate):
        return theta + learning_rate * gradient, state


OWN = {
    "layer": {"chain": [Dense(4), Halve(), Dense(1)]},
    "loss": {"loss": DoubledError()},
    "optimizer": {"optimizer": Backwards(0.01)},
    "dtype": {"dtype": np.float16},
}


def theta_with(executor, chain=None, dtype=np.float64, **settings):
    rng = np.random.default_rng(0)
    chain = chain or [Dense(4), Tanh(), Dense(1)]
    network = Network(chain, features=3, seed=1, dtype=dtype, executor=executor)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    settings = {"loss": SquaredError(), "optimizer": SGD(0.01)} | settings
    train(network, X, y, epochs=3, batch_size=7, progress=False, **settings)
    return network.theta


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
def test_what_compiled_code_does_not_know_is_trained_by_the_reference(own):
    found = theta_with(None, **own)
    assert_array_equal(found, theta_with("reference", **own))
    assert (found != theta_with("reference")).any()
