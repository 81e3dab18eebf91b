"""A small network of many layers, trained a little."""

import numpy as np

from thinnet import BatchNorm, Dense, Dropout, Network, ReLU

LAYERS = [Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)]


def small(layers=LAYERS, features=4, seed=7, dtype=np.float64, executor=None):
    return Network(layers, features, seed=seed, dtype=dtype, executor=executor)
