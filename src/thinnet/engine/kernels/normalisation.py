"""BatchNorm and LayerNorm: compiled twins of `thinnet.layers.normalisation`.

A BatchNorm keeps, for the units in use, six numbers each: mean, 1 / standard deviation, gamma,
beta, and in the backward pass the sums of dy and of dy * x_hat, which are the gradients of beta
and gamma.  A LayerNorm keeps mean and 1 / standard deviation of each row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.compile import kernel

PARTS: Final = 6
MEAN, INVERSE, GAMMA, BETA, SUM, PRODUCT = range(PARTS)


@kernel
def part(op: Any, which: Any, low: Any, high: Any, statistics: Any) -> Any:
    """One of the six, of units `low` to `high` of those in use."""
    start = op.statistics + which * op.n_units
    return statistics[start + low : start + high]


@kernel
def batch_moments(
    op: Any, rows: Any, low: Any, high: Any, x: Any, at: Any, mean: Any, variance: Any
) -> None:
    """Mean and variance of the columns `low` to `high`, over rows and positions, in two passes."""
    mean[:], variance[:] = 0, 0
    m = rows * op.groups
    for r in range(m):
        row = x[at + r * op.n_units + low : at + r * op.n_units + high]
        for i in range(row.size):
            mean[i] += row[i]
    for i in range(mean.size):
        mean[i] /= m
    for r in range(m):
        row = x[at + r * op.n_units + low : at + r * op.n_units + high]
        for i in range(row.size):
            d = row[i] - mean[i]
            variance[i] += d * d
    for i in range(mean.size):
        variance[i] /= m


@kernel
def learn(op: Any, unit: Any, m: Any, mean: Any, variance: Any, state: Any) -> None:
    """The batch enters the running statistics: a plain average at first, then an exponential one."""
    counter = op.counters + unit
    state[counter] += 1
    share = max(1 - op.momentum, 1 / max(state[counter], 1.0))
    at_mean, at_variance = op.state + unit, op.state + op.n_units + unit
    state[at_mean] += share * (mean - state[at_mean])
    state[at_variance] += share * (variance * (m / (m - 1)) - state[at_variance])


@kernel
def statistics_of(
    op: Any,
    rows: Any,
    low: Any,
    high: Any,
    learns: Any,
    x: Any,
    at: Any,
    theta: Any,
    state: Any,
    sides: Any,
    statistics: Any,
    scratch: Any,
) -> None:
    """Fill in mean, 1 / standard deviation, gamma and beta."""
    mean, inverse = part(op, MEAN, low, high, statistics), part(op, INVERSE, low, high, statistics)
    gamma, beta = part(op, GAMMA, low, high, statistics), part(op, BETA, low, high, statistics)
    if learns:
        sums, variance = scratch[: high - low], scratch[high - low : 2 * (high - low)]
        batch_moments(op, rows, low, high, x, at, sums, variance)
        mean[:], inverse[:] = sums, variance
    for i in range(high - low):
        unit = np.int64(sides.index[op.side_out, low + i]) if op.thin_out else low + i
        if not learns:
            mean[i], inverse[i] = state[op.state + unit], state[op.state + op.n_units + unit]
        elif sides.present[op.side_out, unit]:
            learn(op, unit, rows * op.groups, mean[i], inverse[i], state)
        inverse[i] = 1 / np.sqrt(inverse[i] + inverse.dtype.type(op.epsilon))
        gamma[i], beta[i] = theta[op.weights + unit], theta[op.bias + unit]


@kernel
def normalise(op: Any, n: Any, statistics: Any, x: Any, y: Any) -> None:
    """One row (at one position): ``y = gamma * (x - mean) * inverse + beta``."""
    mean, inverse = part(op, MEAN, 0, n, statistics), part(op, INVERSE, 0, n, statistics)
    gamma, beta = part(op, GAMMA, 0, n, statistics), part(op, BETA, 0, n, statistics)
    for i in range(n):
        y[i] = gamma[i] * ((x[i] - mean[i]) * inverse[i]) + beta[i]


@kernel
def sums_of(
    op: Any, rows: Any, low: Any, high: Any, x: Any, at: Any, dy: Any, at_dy: Any, statistics: Any
) -> None:
    """The sums of dy and of dy * x_hat over rows and positions."""
    mean, inverse = part(op, MEAN, low, high, statistics), part(op, INVERSE, low, high, statistics)
    total, product = part(op, SUM, low, high, statistics), part(op, PRODUCT, low, high, statistics)
    total[:], product[:] = 0, 0
    for r in range(rows * op.groups):
        ahead = r * op.n_units + low
        d = dy[at_dy + ahead : at_dy + ahead + high - low]
        row = x[at + ahead : at + ahead + high - low]
        for i in range(high - low):
            total[i] += d[i]
            product[i] += d[i] * ((row[i] - mean[i]) * inverse[i])


@kernel
def normalise_backward(op: Any, n: Any, m: Any, statistics: Any, x: Any, dy: Any) -> None:
    """One row, in place; `m` values entered each mean."""
    mean, inverse = part(op, MEAN, 0, n, statistics), part(op, INVERSE, 0, n, statistics)
    gamma = part(op, GAMMA, 0, n, statistics)
    total, product = part(op, SUM, 0, n, statistics), part(op, PRODUCT, 0, n, statistics)
    share = dy.dtype.type(1) / dy.dtype.type(m)
    for i in range(n):
        x_hat = (x[i] - mean[i]) * inverse[i]
        dy[i] = gamma[i] * inverse[i] * (dy[i] - (total[i] + x_hat * product[i]) * share)


@kernel
def row_moments(epsilon: Any, x: Any) -> Any:
    """Mean and 1 / standard deviation of a row."""
    mean, variance = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        mean += x[i]
    mean /= x.dtype.type(x.size)
    for i in range(x.size):
        variance += (x[i] - mean) * (x[i] - mean)
    variance /= x.dtype.type(x.size)
    return mean, x.dtype.type(1) / np.sqrt(variance + x.dtype.type(epsilon))


@kernel
def layer_norm(mean: Any, inverse: Any, gamma: Any, beta: Any, x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = gamma[i] * ((x[i] - mean) * inverse) + beta[i]


@kernel
def layer_norm_backward(mean: Any, inverse: Any, gamma: Any, x: Any, dy: Any, dx: Any) -> None:
    total, product = x.dtype.type(0), x.dtype.type(0)
    for i in range(x.size):
        d = dy[i] * gamma[i]
        total += d
        product += d * ((x[i] - mean) * inverse)
    share = x.dtype.type(1) / x.dtype.type(x.size)
    for i in range(x.size):
        x_hat = (x[i] - mean) * inverse
        dx[i] = inverse * (dy[i] * gamma[i] - (total + x_hat * product) * share)


@kernel
def layer_norm_gradients(
    op: Any,
    rows: Any,
    capacity: Any,
    low: Any,
    high: Any,
    x: Any,
    at: Any,
    dy: Any,
    at_dy: Any,
    statistics: Any,
    d_gamma: Any,
    d_beta: Any,
) -> None:
    """The sums over rows of ``dy * x_hat`` and of dy, of columns `low` to `high`."""
    d_gamma[:], d_beta[:] = 0, 0
    for r in range(rows):
        mean = statistics[op.statistics + r]
        inverse = statistics[op.statistics + capacity + r]
        d = dy[at_dy + r * op.n_out + low : at_dy + r * op.n_out + high]
        row = x[at + r * op.n_out + low : at + r * op.n_out + high]
        for i in range(high - low):
            d_beta[i] += d[i]
            d_gamma[i] += d[i] * ((row[i] - mean) * inverse)
