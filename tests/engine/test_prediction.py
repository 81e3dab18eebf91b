"""Predictions and draws by compiled code: the reference's numbers, and bits that don't depend."""

import os
import pickle
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from targets import AVX2

from thinnet import Network
from thinnet.engine import predictor, thinning
from thinnet.layers import (
    SELU,
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    ReLU,
    Softmax,
    Tanh,
)

CHAINS = {
    "dropout of hidden units": [Dense(20), ReLU(), Dropout(0.4), Dense(30), Tanh(), Dense(3)],
    "dropout of inputs": [Dropout(0.3), Dense(20), ReLU(), Dropout(0.5), Dense(2)],
    "normalised": [Dense(20), BatchNorm(), ReLU(), Dropout(0.3), Dense(9), LayerNorm(), Dense(2)],
    "shared": [Dense(9), Dropout(0.5, share="batch"), ReLU(), Dense(8), Dropout(0.2), Dense(2)],
    "classical": [Dense(20), ReLU(), Dropout(0.4, scaling="classical"), Dense(2)],
    "other noise": [GaussianNoise(0.1), Dense(9), SELU(), AlphaDropout(0.2), Dense(4), Softmax()],
    "factors": [Dense(9), GaussianDropout(0.2), ReLU(), DropConnect(Dense(7), 0.4), Dense(2)],
    "after all others": [Dense(9), ReLU(), Dense(4), Dropout(0.5)],
}


@pytest.fixture(params=[1, 10**9], ids=["thin", "masked"])
def where_thinning_pays(request, monkeypatch):
    """Both sides of the rule."""
    monkeypatch.setattr(thinning, "WORTH_THINNING", request.param)


def pair(layers, features=12, dtype=np.float64):
    """The same network for both executors, with running statistics that are not the first."""
    networks = [
        Network(layers, features, seed=3, dtype=dtype, executor=executor)
        for executor in ("compiled", "reference")
    ]
    state = np.random.default_rng(0).uniform(0.5, 2, networks[0].state.size)
    for network in networks:
        network.state[:] = state
    return networks


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_compiled_outputs_are_the_references(layers, rng):
    compiled, reference = pair(layers)
    for rows in (1, 2, 47, 300):
        X = rng.normal(size=(rows, 12))
        assert_allclose(compiled.outputs(X), reference.outputs(X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("share", ["batch", None])
@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
@pytest.mark.usefixtures("where_thinning_pays")
def test_compiled_draws_are_the_references(layers, share, rng):
    compiled, reference = pair(layers)
    X = rng.normal(size=(60, 12))
    ids = rng.integers(0, 10**6, 60) if share is None else None
    found = compiled.sample(X, 4, share=share, samples=ids)
    wanted = reference.sample(X, 4, share=share, samples=ids)
    assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("share", ["batch", None])
def test_rows_of_later_blocks_are_drawn_as_the_reference_draws_them(share, rng):
    compiled, reference = pair([Dropout(0.5), Dense(1)])
    X = rng.normal(size=(5000, 12))
    found, wanted = compiled.sample(X, 1, share=share), reference.sample(X, 1, share=share)
    assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_rows_of_several_axes_are_predicted(rng):
    compiled, reference = pair([BatchNorm(), Flatten(), Dense(3)], features=(4, 5))
    X = rng.normal(size=(7, 4, 5))
    assert_allclose(compiled.outputs(X), reference.outputs(X), rtol=1e-10, atol=1e-12)
    assert_array_equal(compiled.outputs(X[:, ::-1])[:2], compiled.outputs(X[:2, ::-1].copy()))


PERMUTED_AND_SPLIT = """
import sys
import numpy as np
from thinnet import Dense, Dropout, Network, ReLU

rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for width, *hidden in (784, 256, 256), (13, 50), (300, 300, 37), (1000, 512), (2, 64), (50, 1):
        layers = [layer for n in hidden for layer in (Dense(n), ReLU(), Dropout(0.5))]
        network = Network([*layers, Dense(3)], width, seed=0, dtype=dtype)
        X, order = rng.normal(size=(500, width)).astype(dtype), rng.permutation(500)
        whole, draws = network.outputs(X), network.sample(X, 2)
        assert (network.outputs(X[order]) == whole[order]).all(), (dtype, width, hidden)
        assert (network.sample(X[order], 2) == draws[:, order]).all(), (dtype, width, hidden)
        for rows in (1, 3, 4, 5, 48, 100, 241):
            i = rng.integers(0, 500 - rows)
            part = slice(i, i + rows)
            assert (network.outputs(X[part]) == whole[part]).all(), (dtype, width, hidden, rows)
            assert (network.sample(X[part], 2) == draws[:, part]).all(), (dtype, width, rows)
"""


@pytest.mark.slow
@pytest.mark.parametrize("held_to", [{}, AVX2], ids=["host", "AVX2"])
def test_rows_predict_the_same_bits_in_any_order_and_company(held_to):
    environment = os.environ | held_to
    subprocess.run([sys.executable, "-c", PERMUTED_AND_SPLIT], check=True, env=environment)


def test_many_threads_may_predict_with_one_network(rng):
    network, _ = pair(CHAINS["dropout of hidden units"])
    X = rng.normal(size=(40, 200, 12))
    wanted, found = [network.outputs(x) for x in X], [None] * len(X)

    def predict(first):
        for i in range(first, len(X), 4):
            found[i] = network.outputs(X[i])

    threads = [threading.Thread(target=predict, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_array_equal(found, wanted)


def test_a_draw_does_not_depend_on_how_many_are_asked(rng):
    network, _ = pair(CHAINS["dropout of hidden units"])
    X = rng.normal(size=(30, 12))
    assert_array_equal(network.sample(X, 3), network.sample(X, 9)[:3])


def test_predictions_follow_the_parameters(rng):
    network, _ = pair(CHAINS["dropout of hidden units"])
    X = rng.normal(size=(5, 12))
    before = network.outputs(X)
    copy = pickle.loads(pickle.dumps(network))
    network.theta[:] = 0
    assert_array_equal(network.outputs(X), np.zeros_like(before))
    assert_array_equal(copy.outputs(X), before)


@pytest.mark.usefixtures("two_threads")
def test_memory_is_that_of_a_block_whatever_rows_and_draws(rng):
    network = Network([Dense(256), ReLU(), Dropout(0.5), Dense(1)], 8, seed=0)
    small, tall = rng.normal(size=(predictor.BLOCK_ROWS, 8)), rng.normal(size=(50_000, 8))

    def beyond_the_result(call):
        tracemalloc.start()
        result = call()
        most = tracemalloc.get_traced_memory()[1] - result.nbytes
        tracemalloc.stop()
        return most

    least = beyond_the_result(lambda: network.outputs(small))
    assert beyond_the_result(lambda: network.outputs(tall)) < 2 * least
    assert beyond_the_result(lambda: network.sample(tall, 20)) < 3 * least
