"""Compiled trainings have the bits that docs/arithmetic.md alone gives."""

import warnings

import numpy as np
import pytest
from arithmetic_cases import CASES, make, training
from arithmetic_training import OracleTraining

from thinnet import philox, sparse

FAST = [
    "dropout",
    "dropped columns",
    "shared columns",
    "16 units",
    "thinned adam",
    "dropconnect",
    "many classes, float64",
]


def oracle_of(case, made, steps):
    """The same steps by the oracle, on a network of its own."""
    oracle = OracleTraining(made.network, case.loss, case.optimizer, case.settings.get("clip_norm"))
    X, y = sparse.dense(made.X), case.loss.targets(made.y, made.network.out)
    order = philox.permutation(made.network.seed, "shuffle", 0, case.rows)
    rate = case.optimizer.learning_rate
    for step in range(steps):
        rows = order[step * case.batch : (step + 1) * case.batch]
        now = rate.at(step) if hasattr(rate, "at") else rate
        weights = None if made.weights is None else made.weights[rows]
        oracle.step(X[rows], y[rows], weights, rows.astype(np.uint32), now)
    return oracle


def check(name):
    case = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of dropout before BatchNorm
        made = make(case)
    steps = min(case.steps, case.rows // case.batch)
    oracle = oracle_of(case, made, steps)
    training(case, made).advance(steps)
    np.testing.assert_array_equal(made.network.theta, oracle.theta)


@pytest.mark.parametrize("name", FAST)
def test_weights_are_the_oracles(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CASES) - set(FAST)))
def test_weights_of_every_case_are_the_oracles(name):
    check(name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("accumulate", [2, 3, 5, 8, 100])
def test_a_step_in_micro_batches_has_the_bits_of_the_whole(accumulate, dtype):
    case = CASES["thinned"]._replace(rows=1300, batch=1300, steps=1, dtype=dtype, weighted=True)
    whole, parted = make(case), make(case)
    training(case, whole).advance(2)
    training(case._replace(settings={"accumulate": accumulate}), parted).advance(2)
    np.testing.assert_array_equal(parted.network.theta, whole.network.theta)


def test_the_loss_of_a_step_in_micro_batches_has_the_bits_of_the_whole():
    case = CASES["dropout"]._replace(rows=1300, batch=1300)
    losses = []
    for settings in ({}, {"accumulate": 4}):
        fit = training(case._replace(settings=settings), make(case))
        fit.advance(1)
        losses.append(fit.history.last.loss)
    assert losses[0] == losses[1]
