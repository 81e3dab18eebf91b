"""Dropout on real images: scikit-learn's handwritten digits."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from thinnet import Adam, Dense, Dropout, Network, ReLU, datasets, train

SEEDS = range(5)


def accuracy(seed, at_input, hidden):
    d = datasets.digits()
    chain = [
        Dropout(at_input),
        Dense(256),
        ReLU(),
        Dropout(hidden),
        Dense(256),
        ReLU(),
        Dropout(hidden),
        Dense(10),
    ]
    net = Network(chain, features=64, seed=seed)
    settings = {"optimizer": Adam(0.001), "batch_size": 64, "epochs": 60, "clean_rows": 0}
    with threadpool_limits(1):  # products this small are faster on one core than on two
        train(net, d.X_train, d.y_train, progress=False, **settings)
    return (net.outputs(d.X_test).argmax(axis=1) == d.y_test).mean()


def test_a_network_with_dropout_reads_97_percent_of_the_digits():
    assert accuracy(0, 0.1, 0.3) >= 0.97


@pytest.mark.slow
def test_over_five_seeds_dropout_reads_more_digits_than_none():
    thinned = np.mean([accuracy(seed, 0.1, 0.3) for seed in SEEDS])
    plain = np.mean([accuracy(seed, 0.0, 0.0) for seed in SEEDS])
    assert thinned >= 0.975
    assert thinned >= plain
