"""Compiled trainings have the bits that docs/arithmetic.md alone gives."""

import warnings

import numpy as np
import pytest
from arithmetic_cases import CASES, make, training
from arithmetic_training import OracleTraining

from thinnet import philox, sparse

FAST = ["dropout", "16 units", "thinned adam", "dropconnect", "many classes, float64"]


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
