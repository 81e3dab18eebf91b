"""Losses and scores that decide about stopping have the bits of docs/arithmetic.md."""

import arithmetic_results as oracle
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet import losses

LOSSES = [
    losses.SoftmaxCrossEntropy(),
    losses.SoftmaxCrossEntropy(0.1),
    losses.BinaryCrossEntropy(),
    losses.SquaredError(),
    losses.AbsoluteError(),
    losses.Huber(0.7),
    losses.GaussianNLL(),
    losses.Poisson(),
    losses.Pinball((0.1, 0.5, 0.95)),
]
BY_LOSS = pytest.mark.parametrize("loss", LOSSES, ids=str)
BY_TYPE = pytest.mark.parametrize("dtype", ["float32", "float64"])


def example(loss, dtype, rng, rows=300, n=18):
    z = (rng.standard_normal((rows, n)) * 2).astype(dtype)
    if isinstance(loss, losses.SoftmaxCrossEntropy):
        return z, rng.integers(n, size=rows)
    if isinstance(loss, losses.GaussianNLL):
        return z, rng.standard_normal((rows, n // 2))
    if isinstance(loss, losses.Pinball):
        return z, loss.targets(rng.standard_normal((rows, n // 3)), (n,))
    if isinstance(loss, losses.BinaryCrossEntropy):
        return z, rng.random((rows, n))
    return z, rng.poisson(3.0, (rows, n)) + 0.0


@BY_LOSS
@BY_TYPE
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_is_the_oracles(loss, dtype, weighted, rng):
    z, t = example(loss, dtype, rng)
    weights = rng.random(len(z)) if weighted else None
    given = weights.tolist() if weighted else None
    assert loss(z, t, weights)[0] == oracle.loss_of(loss, z, t, given)


@BY_LOSS
def test_a_row_has_the_loss_that_it_has_alone(loss, rng):
    z, t = example(loss, "float32", rng)
    each, slopes = loss.rows(z, t)
    assert slopes.dtype == z.dtype
    for row in range(0, len(z), 71):
        alone, slope = loss.rows(z[row : row + 1], t[row : row + 1])
        assert_array_equal(alone, each[row : row + 1])
        assert_array_equal(slope, slopes[row : row + 1])


@BY_TYPE
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_the_oracles(dtype, weighted, rng):
    weights = rng.random(300) if weighted else None
    given = weights.tolist() if weighted else None
    z, t = example(losses.SquaredError(), dtype, rng)
    found = losses.SquaredError().score(z, t, weights)
    assert found == oracle.r_squared(z.astype(float), t, given)
    z, labels = example(LOSSES[0], dtype, rng, n=3)
    hits = (z.argmax(axis=1) == labels) * 1.0
    expected = oracle.weighted_mean(hits.tolist(), given)
    assert LOSSES[0].score(z, labels, weights) == expected


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.7])
def test_constant_targets_have_the_score_0(value):
    y = np.full((777, 1), value)
    weights = np.random.default_rng(0).random(777)
    for given in (None, weights):
        assert losses.SquaredError().score(np.zeros((777, 1)), y, given) == 0


@BY_TYPE
def test_predictions_are_the_oracles(dtype, rng):
    z = (rng.standard_normal((40, 5)) * 4).astype(dtype)
    softmax = oracle.probabilities(z.astype(float), dtype)
    assert_array_equal(losses.SoftmaxCrossEntropy().predict(z), softmax)
    sigmoid = oracle.sigmoids(z.astype(float), dtype)
    assert_array_equal(losses.BinaryCrossEntropy().predict(z), sigmoid)
    rates = np.array([[oracle.exp(a) for a in row] for row in z.astype(float).tolist()])
    assert_array_equal(losses.Poisson().predict(z), rates.astype(dtype))
