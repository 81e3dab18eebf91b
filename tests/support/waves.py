"""Targets on a wave, with noise of a known size."""

import numpy as np

NOISE = 0.3


def wave(rows, seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (rows, 1))
    return X, np.sin(2 * X[:, 0]) + NOISE * rng.normal(size=rows)
