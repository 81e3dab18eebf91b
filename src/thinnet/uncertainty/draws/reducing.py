"""Sums over draws, classes and outputs: 16 partial sums, in an order that is always the same."""

from __future__ import annotations

import numpy as np

from thinnet.arithmetic import lane_mean, lane_sum, log, log_sum_exp
from thinnet.arrays import Array


def mean(values: Array) -> Array:
    """The mean over draws."""
    return np.asarray(lane_mean(values))


def variance(values: Array, ddof: int = 0) -> Array:
    """The variance over draws, with the divisor ``n_draws - ddof``."""
    return np.asarray(lane_sum(np.square(values - mean(values))) / (len(values) - ddof))


def sum_along(values: Array) -> Array:
    """The sum over the last axis: of classes or outputs."""
    return np.asarray(lane_sum(np.moveaxis(values, -1, 0)))


def log_mean_exp(values: Array) -> Array:
    """The log of the mean of exponentials over draws."""
    return np.asarray(log_sum_exp(values) - log(len(values)))
