"""Thinned training is masked dense training, and what is absent from a step stays as it was."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from random_networks import OPTIMIZERS, Problem, assert_alike, problems, thin_chains, trained
from trying import given_few_or_many

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    ReLU,
    Run,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    train,
)
from thinnet.engine import thinning
from thinnet.engine.lowering import lower
from thinnet.schedules import Linear

EVERYWHERE, NOWHERE = 0, 10**9  # the weights to be dropped from which on a layer is thinned


def trained_with(weights, problem):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinning, "WORTH_THINNING", weights)
        return trained(problem)


def thinned(network):
    """How many operations see a part of their inputs."""
    return sum(op.thin_in for op in lower(network, "train").operations)


@given_few_or_many(30, 100, problems(chains=thin_chains))
def test_thinned_training_is_masked_dense_training(problem):
    found = trained_with(EVERYWHERE, problem)
    assert_alike(found, trained(problem, "reference"), 1e-9)


@given_few_or_many(15, 50, problems(chains=thin_chains))
def test_where_thinning_does_not_pay_the_results_are_the_same(problem):
    found = trained_with(NOWHERE, problem)
    assert_alike(found, trained_with(EVERYWHERE, problem), 1e-9)
    assert_alike(found, trained(problem, "reference"), 1e-9)


def shared(rate=0.5):
    return Dropout(rate, share="batch")


def thin_problem(optimizer, norm=None, dtype=np.float64, **settings):
    hidden = [Tanh(), norm, ReLU()] if norm else [ReLU()]
    chain = [shared(0.2), Dense(40, max_norm=1.0), *hidden, shared(), Dense(30, l2=0.01), Tanh()]
    return Problem(
        [*chain, shared(0.3), Dense(3)],
        features=20,
        loss=SoftmaxCrossEntropy(),
        optimizer=optimizer,
        rows=120,
        batch_size=32,
        seed=5,
        dtype=dtype,
        **settings,
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm", [None, BatchNorm()])
@pytest.mark.parametrize("clip_norm", [None, 0.1])
def test_every_optimizer_takes_the_references_steps_thinned(optimizer, norm, clip_norm):
    problem = thin_problem(optimizer, norm, clip_norm=clip_norm)
    found = trained_with(EVERYWHERE, problem)
    assert_alike(found, trained(problem, "reference"), 1e-9)


@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.01)])
def test_thinned_training_in_float32_is_the_references_to_its_rounding(optimizer):
    problem = thin_problem(optimizer, dtype=np.float32)
    assert_alike(trained_with(EVERYWHERE, problem), trained(problem, "reference"), 1e-4)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 1.0, Linear(0.2, 0.8, n_steps=6)], ids=str)
@pytest.mark.parametrize("weights", [EVERYWHERE, NOWHERE], ids=["thinned", "whole"])
def test_what_is_absent_from_a_step_stays_as_it_was(rate, weights, rng, monkeypatch):
    monkeypatch.setattr(thinning, "WORTH_THINNING", weights)
    chain = [Dense(12, l1=0.1, max_norm=0.5), Tanh(), BatchNorm(), ReLU(), shared(rate), Dense(2)]
    network = Network(chain, features=5, seed=3, dtype=np.float64)
    X, y = rng.normal(size=(16, 5)), rng.normal(size=(16, 2))
    for step in range(4):
        kept = network.presence(Run.train(step)).kept
        before = [part.copy() for part in network.vectors]
        train(network, X, y, optimizer=Adam(0.1), epochs=1, batch_size=None, progress=False)
        seen = network.masks(step=step, share="batch")[0][0]
        assert_array_equal(network.theta[~kept], before[0][~kept])
        assert (network.theta[kept] != before[0][kept]).any()
        states = network.state.reshape(3, 12), before[2].reshape(3, 12)
        assert_array_equal((states[0] != states[1]).any(axis=0), seen)


THIN = {
    "one gap": ([Dense(8), ReLU(), shared(), Dense(2)], 1),
    "input": ([shared(), Dense(8), ReLU(), Dense(2)], 1),
    "two gaps": ([Dense(8), ReLU(), shared(), Dense(8), Tanh(), shared(), Dense(2)], 2),
    "statistics between": ([Dense(8), BatchNorm(), ReLU(), shared(), Dense(2)], 1),
    "not shared": ([Dense(8), ReLU(), Dropout(0.5), Dense(2)], 0),
    "hardly dropped": ([Dense(8), ReLU(), shared(0.01), Dense(2)], 0),
    "units mixed": ([Dense(8), LayerNorm(), shared(), Dense(2)], 0),
    "zero is not kept": ([Dense(8), ReLU(), shared(), Sigmoid(), Dense(2)], 0),
}


@pytest.mark.parametrize(("chain", "gaps"), THIN.values(), ids=THIN)
def test_shared_dropout_thins_where_dropped_units_need_not_exist(chain, gaps, monkeypatch):
    network = Network(chain, features=6, seed=0)
    monkeypatch.setattr(thinning, "WORTH_THINNING", EVERYWHERE)
    assert thinned(network) == gaps
    monkeypatch.setattr(thinning, "WORTH_THINNING", NOWHERE)
    assert thinned(network) == 0


def test_thinning_pays_in_large_layers_and_not_in_small_ones():
    for features, gaps in ((100, 0), (784, 1)):
        chain = [Dense(16), ReLU(), shared(), Dense(10)]
        assert thinned(Network(chain, features=features)) == gaps
