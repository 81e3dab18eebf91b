"""The noise of targets: learned from errors, by the network itself, or that of counts."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from waves import wave

from thinnet import EnsembleRegressor, MLPRegressor, TableRegressor


def test_noise_is_that_of_all_rows_whatever_their_order():
    rng = np.random.default_rng(15)
    X = np.sort(rng.uniform(-1, 1, (3000, 1)), axis=0)
    y = X[:, 0] + np.where(X[:, 0] < -1 / 3, 0.05, 1.0) * rng.normal(size=3000)
    model = MLPRegressor(dropout=0.05, max_iter=500, random_state=0).fit(X, y)
    assert_allclose(model.noise_, np.sqrt((0.05**2 + 2) / 3), rtol=0.1)
    table = pd.DataFrame({"x": X[:, 0]})
    found = TableRegressor(max_iter=20, random_state=0).fit(table, y)
    assert_allclose(found.noise_ * found.target_scale_.scale, np.sqrt(2 / 3), rtol=0.1)


def test_noise_is_not_learned_from_rows_that_do_not_count():
    X, y = wave(200, 16)
    y[::2] = 1000.0
    weights = np.tile([0.0, 1.0], 100)
    settings = {"learning_rate_init": 0.01, "max_iter": 1000, "random_state": 0}
    model = MLPRegressor(dropout=0.05, **settings).fit(X, y, weights)
    assert model.noise_[0] < 2
    both = EnsembleRegressor(model, n_networks=2, random_state=0).fit(X, y, weights)
    assert both.noise_[0] < 2


def test_noise_is_a_running_mean_over_parts_and_goes_with_dropout():
    X, y = wave(500, 17)
    model = MLPRegressor(dropout=0.05, random_state=0, learning_rate_init=0.01)
    for _ in range(50):
        model.partial_fit(X, y)
    before = model.noise_[0]
    model.partial_fit(X[:1], y[:1])
    assert 0.9 * before < model.noise_[0] < 1.5 * before
    model.set_params(dropout=0.0, max_iter=1000).fit(X, y)
    assert not hasattr(model, "noise_")


def test_likelihoods_of_counts_are_of_counts():
    X, _ = wave(100, 19)
    y = np.random.default_rng(0).poisson(2.0, 100)
    model = MLPRegressor(loss="poisson", dropout=0.1, max_iter=1000, random_state=0).fit(X, y)
    for bad in (-1.0, 0.5):
        with pytest.raises(ValueError, match=f"y must hold whole numbers >= 0 .*, got {bad:g} in"):
            model.log_likelihood(X[:2], [1.0, bad])


def test_a_head_learns_where_the_noise_is():
    rng = np.random.default_rng(8)
    X = rng.uniform(-1, 1, (2000, 1))
    y = X[:, 0] + np.where(X[:, 0] > 0, 0.5, 0.05) * rng.normal(size=2000)
    model = MLPRegressor(loss="gaussian_nll", hidden_layer_sizes=(50,), dropout=0.02,
                         max_iter=500, random_state=0).fit(X, y)  # fmt: skip
    found = model.uncertainty(np.array([[-0.5], [0.5]]))
    assert_allclose(found.aleatoric, [0.05, 0.5], rtol=0.5)
    assert found.aleatoric[1] > 5 * found.aleatoric[0]
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.5


def test_counts_have_the_spread_of_counts(rng):
    X = np.repeat([[0.0], [1.0]], 500, axis=0)
    y = rng.poisson(np.where(X[:, 0] > 0, 20, 2))
    model = MLPRegressor(loss="poisson", hidden_layer_sizes=(20,), dropout=0.05, max_iter=1000,
                         learning_rate_init=0.01, random_state=0).fit(X, y)  # fmt: skip
    found = model.uncertainty(X[[0, -1]])
    assert_allclose(found.aleatoric**2, found.mean)
    assert_allclose(found.mean, [2, 20], rtol=0.25)
    low, high = model.predict_interval(X).T
    assert (low == np.floor(low)).all()
    assert 0.88 < ((y >= low) & (y <= high)).mean() < 0.995  # of whole numbers, more than 0.9
