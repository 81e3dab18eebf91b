"""BatchNorm and LayerNorm: compiled twins of `thinnet.layers.normalisation`.

A BatchNorm keeps, for the units in use, six numbers each: mean, 1 / standard deviation, gamma,
beta, and in the backward pass the sums of dy and of dy * x_hat, which are the gradients of beta
and gamma.  A LayerNorm keeps mean and 1 / standard deviation of each row.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Like, Number, Numbers
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.presence import count_of, in_use, present_of, unit_at
from thinnet.engine.linking import exact_part, part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work

PARTS: Final = 6
MEAN, INVERSE, GAMMA, BETA, SUM, PRODUCT = range(PARTS)


@part
def figure(op: Operation, which: int, low: int, high: int, w: Work, like: Like) -> Numbers:
    """One of the six, of places `low` to `high`."""
    start = op.statistics + which * op.n_units
    return view(w.statistics, like)[start + low : start + high]


@exact_part
def moments(
    op: Operation, now: Round, low: int, high: int, w: Work, mean: Numbers, variance: Numbers
) -> None:
    """Mean and variance of the columns `low` to `high`, over rows and positions, in two passes."""
    x, m, n = view(w.activations, mean.dtype.type(0)), now.rows * op.groups, high - low
    start = op.x * w.capacity + low
    mean[:], variance[:] = 0, 0
    for r in range(m):
        row = x[start + r * op.n_units : start + r * op.n_units + n]
        for i in range(n):
            mean[i] += row[i]
    for i in range(n):
        mean[i] /= m
    for r in range(m):
        row = x[start + r * op.n_units : start + r * op.n_units + n]
        for i in range(n):
            d = row[i] - mean[i]
            variance[i] = fma(d, d, variance[i])
    for i in range(n):
        variance[i] /= m


@exact_part
def learn(op: Operation, unit: int, m: int, mean: Number, variance: Number, state: Numbers) -> None:
    """The batch enters the running statistics: first a plain average, then an exponential one."""
    counter = op.counters + unit
    state[counter] += 1
    share = max(1 - op.momentum, 1 / max(state[counter], 1.0))
    at_mean, at_variance = op.state + unit, op.state + op.n_units + unit
    state[at_mean] += share * (mean - state[at_mean])
    state[at_variance] += share * (variance * (m / (m - 1)) - state[at_variance])


@exact_part
def statistics_task(op: Operation, low: int, high: int, now: Round, w: Work, like: Like) -> None:
    """Fill in mean, 1 / standard deviation, gamma and beta, of the batch or as remembered."""
    low, high = in_use(op, low, high, w)
    mean, inverse = figure(op, MEAN, low, high, w, like), figure(op, INVERSE, low, high, w, like)
    gamma, beta = figure(op, GAMMA, low, high, w, like), figure(op, BETA, low, high, w, like)
    theta, state = view(w.theta, like), view(w.state, like)
    present = present_of(op.side_out, w)
    if w.learns:
        moments(op, now, low, high, w, mean, inverse)
    for i in range(high - low):
        unit = unit_at(op, low + i, w)
        if not w.learns:
            mean[i], inverse[i] = state[op.state + unit], state[op.state + op.n_units + unit]
        elif present[unit]:
            learn(op, unit, now.rows * op.groups, mean[i], inverse[i], state)
        inverse[i] = 1 / np.sqrt(inverse[i] + inverse.dtype.type(op.epsilon))
        gamma[i], beta[i] = theta[op.weights + unit], theta[op.bias + unit]


@exact_part
def sums_task(op: Operation, low: int, high: int, now: Round, w: Work, like: Like) -> None:
    """The sums of dy and of dy * x_hat over rows and positions."""
    low, high = in_use(op, low, high, w)
    mean, inverse = figure(op, MEAN, low, high, w, like), figure(op, INVERSE, low, high, w, like)
    total, product = figure(op, SUM, low, high, w, like), figure(op, PRODUCT, low, high, w, like)
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    total[:], product[:] = 0, 0
    for r in range(now.rows * op.groups):
        ahead = r * op.n_units + low
        x, dy = activations[op.x * w.capacity + ahead :], slopes[op.dy * w.capacity + ahead :]
        for i in range(high - low):
            total[i] += dy[i]
            product[i] = fma(dy[i], (x[i] - mean[i]) * inverse[i], product[i])


@exact_part
def batch_norm(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``y = gamma * (x - mean) * inverse + beta``."""
    n = count_of(op.side_out, w) if op.thin_out else op.n_units
    mean, inverse = figure(op, MEAN, 0, n, w, like), figure(op, INVERSE, 0, n, w, like)
    gamma, beta = figure(op, GAMMA, 0, n, w, like), figure(op, BETA, 0, n, w, like)
    activations = view(w.activations, like)
    for r in range(low * op.groups, high * op.groups):
        x = activations[op.x * w.capacity + r * op.n_units :]
        y = activations[op.y * w.capacity + r * op.n_units :]
        for i in range(n):
            y[i] = fma(gamma[i], (x[i] - mean[i]) * inverse[i], beta[i])


@exact_part
def batch_norm_backward(
    op: Operation, low: int, high: int, now: Round, w: Work, like: Like
) -> None:
    """In place, from the sums over the whole batch."""
    n = count_of(op.side_out, w) if op.thin_out else op.n_units
    mean, inverse = figure(op, MEAN, 0, n, w, like), figure(op, INVERSE, 0, n, w, like)
    gamma = figure(op, GAMMA, 0, n, w, like)
    total, product = figure(op, SUM, 0, n, w, like), figure(op, PRODUCT, 0, n, w, like)
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    share = gamma.dtype.type(1) / gamma.dtype.type(now.rows * op.groups)
    for r in range(low * op.groups, high * op.groups):
        x = activations[op.x * w.capacity + r * op.n_units :]
        dy = slopes[op.dy * w.capacity + r * op.n_units :]
        for i in range(n):
            x_hat = (x[i] - mean[i]) * inverse[i]
            common = fma(x_hat, product[i], total[i])
            dy[i] = gamma[i] * inverse[i] * fma(-common, share, dy[i])


@part
def row_moments(epsilon: float, x: Numbers) -> tuple[Number, Number]:
    """Mean and 1 / standard deviation of a row."""
    mean, variance = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        mean += x[i]
    mean /= x.dtype.type(x.size)
    for i in range(x.size):
        variance += (x[i] - mean) * (x[i] - mean)
    variance /= x.dtype.type(x.size)
    return mean, x.dtype.type(1) / np.sqrt(variance + x.dtype.type(epsilon))


@exact_part
def layer_norm(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations, theta = view(w.activations, like), view(w.theta, like)
    gamma, beta = theta[op.weights :], theta[op.bias :]
    means = view(w.statistics, like)[op.statistics :]
    for r in range(low, high):
        x = activations[op.x * w.capacity + r * op.n_in :][: op.n_in]
        y = activations[op.y * w.capacity + r * op.n_in :]
        mean, inverse = row_moments(op.epsilon, x)
        means[r], means[w.capacity + r] = mean, inverse
        for i in range(op.n_in):
            y[i] = fma(gamma[i], (x[i] - mean) * inverse, beta[i])


@part
def layer_norm_backward(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    if op.dx == NO_PLACE:
        return
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    gamma = view(w.theta, like)[op.weights :]
    means = view(w.statistics, like)[op.statistics :]
    for r in range(low, high):
        x = activations[op.x * w.capacity + r * op.n_in :][: op.n_in]
        dy = slopes[op.dy * w.capacity + r * op.n_in :]
        dx = slopes[op.dx * w.capacity + r * op.n_in :]
        layer_norm_row_backward(means[r], means[w.capacity + r], gamma, x, dy, dx)


@part
def layer_norm_row_backward(
    mean: Number, inverse: Number, gamma: Numbers, x: Numbers, dy: Numbers, dx: Numbers
) -> None:
    total, product = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        d = dy[i] * gamma[i]
        total += d
        product += d * ((x[i] - mean) * inverse)
    share = x.dtype.type(1) / x.dtype.type(x.size)
    layer_norm_slopes(mean, inverse, total * share, product * share, gamma, x, dy, dx)


@exact_part
def layer_norm_slopes(
    mean: Number,
    inverse: Number,
    mean_d: Number,
    mean_product: Number,
    gamma: Numbers,
    x: Numbers,
    dy: Numbers,
    dx: Numbers,
) -> None:
    for i in range(x.size):
        x_hat = (x[i] - mean) * inverse
        dx[i] = inverse * (dy[i] * gamma[i] - fma(x_hat, mean_product, mean_d))


@exact_part
def layer_norm_gradients(
    op: Operation, low: int, high: int, now: Round, w: Work, d_gamma: Numbers, d_beta: Numbers
) -> None:
    """The sums over rows of ``dy * x_hat`` and of dy, of columns `low` to `high`."""
    like = d_gamma.dtype.type(0)
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    means = view(w.statistics, like)[op.statistics :]
    d_gamma[:], d_beta[:] = 0, 0
    for r in range(now.rows):
        mean, inverse = means[r], means[w.capacity + r]
        x = activations[op.x * w.capacity + r * op.n_in + low :]
        dy = slopes[op.dy * w.capacity + r * op.n_in + low :]
        for i in range(high - low):
            d_beta[i] += dy[i]
            d_gamma[i] = fma(dy[i], (x[i] - mean) * inverse, d_gamma[i])
