"""Small trainings, and layers and callbacks that look at them."""

import numpy as np

from thinnet import Dense, Dropout, Network, ReLU, train
from thinnet.layers import Shapes

ROWS, FEATURES, CLASSES, SEED = 20, 5, 3, 11


class Recorder:
    """A user's own layer: passes rows on, and notes the first feature of those it has seen."""

    def __init__(self):
        self.learned, self.predicted = [], []

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        (self.learned if run.learns else self.predicted).append(x[:, 0].astype(int))
        return x, None

    def backward(self, site, cache, dy):
        return dy


def problem(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, FEATURES)), rng.integers(CLASSES, size=rows)


def layers(rate=0.4, l2=0.0):
    return [Dense(7, l2=l2), ReLU(), Dropout(rate), Dense(CLASSES)]


def network(chain=None, seed=SEED, dtype=np.float64):
    return Network(chain or layers(), features=FEATURES, seed=seed, dtype=dtype)


def trained(chain=None, data=None, seed=SEED, **settings):
    X, y = data or problem()
    net = network(chain, seed)
    train(net, X, y, **({"epochs": 3, "batch_size": 8, "progress": False} | settings))
    return net


def numbered_rows(rows=ROWS):
    X, y = problem(rows)
    X[:, 0] = np.arange(rows)
    return X, y
