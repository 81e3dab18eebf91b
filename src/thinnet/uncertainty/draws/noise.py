"""The noise around draws, learned from rows with known targets."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import optimize

from thinnet.arithmetic import exp, lane_mean, log, log_sum_exp, tree_mean, tree_variance
from thinnet.arrays import Array

N_DRAWS: Final = 30
MOST_ROWS: Final = 1000  # the most rows that noise is learned from
LEAST: Final = 1e-6  # the least noise, relative to the spread of the targets


def some_rows(n: int, weights: Array | None = None) -> Array:
    """Places of rows to learn from: at most `MOST_ROWS` with weight, chosen at random."""
    places = np.arange(n) if weights is None else np.flatnonzero(weights)
    if len(places) > MOST_ROWS:
        places = np.random.default_rng(0).choice(places, MOST_ROWS, replace=False)
    return np.sort(places)


def noise_of(centers: Array, y: Array, weights: Array | None = None) -> Array:
    """Standard deviation of the noise in each output, by maximum likelihood.

    Parameters
    ----------
    centers : array, shape (n_draws, rows, outputs)
        The predictions of the draws.
    y : array, shape (rows, outputs)
    weights : array, shape (rows,), optional
        At least 0, and not all 0.

    Returns
    -------
    array, shape (outputs,)
        The standard deviations that maximise the likelihood of `y` under a mixture of Gaussians
        around the draws; tau of Gal and Ghahramani 2016 is ``1 / noise ** 2``.
    """
    outputs = range(y.shape[1])
    return np.array([_of_output(y[:, j] - centers[:, :, j], y[:, j], weights) for j in outputs])


def _of_output(errors: Array, y: Array, weights: Array | None) -> float:
    least = max(LEAST * math.sqrt(tree_variance(y)), LEAST**2 * float(np.abs(y).max()), 1e-300)
    size = math.sqrt(tree_mean(lane_mean(np.square(errors)), weights))
    if size <= least:
        return least

    def cost(log_noise: float) -> float:
        scaled = -np.square(errors * exp(-log_noise)) / 2
        return log_noise - float(tree_mean(log_sum_exp(scaled), weights))

    # The best is at most the root of the mean squared error, where the derivative is positive.
    low, high = float(log(least)), float(log(size))
    bounds = (max(low, high - 12), high)
    return float(exp(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").x))
