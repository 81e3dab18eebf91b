"""BatchNorm and LayerNorm: compiled twins of `thinnet.layers.normalisation`.

A BatchNorm keeps, for the units in use, six numbers each: mean, 1 / standard deviation, gamma,
beta, and in the backward pass the sums of dy and of dy * x_hat, which are the gradients of beta
and gamma.  A LayerNorm keeps mean and 1 / standard deviation of each row.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.engine.aliases import Like, Number, Numbers, Thread
from thinnet.engine.kernels.copying import copy
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.presence import count_of, in_use, present_of, unit_at
from thinnet.engine.kernels.rows import scratch_of
from thinnet.engine.kernels.sums import (
    join_leaf,
    join_rest,
    lane_dot,
    lane_sum,
    n_leaves,
)
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Operation, Round, Work

PARTS: Final = 6
MEAN, INVERSE, GAMMA, BETA, SUM, PRODUCT = range(PARTS)


@part
def figure(op: Operation, which: int, low: int, high: int, w: Work, like: Like) -> Numbers:
    """One of the six, of places `low` to `high`."""
    start = op.statistics + which * op.n_units
    return view(w.statistics, like)[start + low : start + high]


@part
def place_of(op: Operation, row: int) -> int:
    """Where a row of a batch norm's units begins, of as many for each row as it has positions."""
    return row // op.groups * op.stride_in + row % op.groups * op.n_units


@part
def moments(
    op: Operation, low: int, now: Round, w: Work, mean: Numbers, variance: Numbers, stack: Numbers
) -> None:
    """Mean and variance of the columns from `low` on, over rows and positions, in two passes."""
    count = mean.dtype.type(now.rows * op.groups)
    sum_columns(op, low, False, now, w, mean, stack)
    for i in range(mean.size):
        mean[i] = stack[i] / count
    sum_columns(op, low, True, now, w, mean, stack)
    for i in range(mean.size):
        variance[i] = stack[i] / count


@part
def sum_columns(
    op: Operation, low: int, squares: bool, now: Round, w: Work, mean: Numbers, stack: Numbers
) -> None:
    """Sums of the columns from `low` on, or of the squares of what they differ by from `mean`."""
    m, n, depth = now.rows * op.groups, mean.size, 0
    x, start = view(w.activations, mean.dtype.type(0)), op.x * w.capacity + low
    for leaf in range(n_leaves(m)):
        total = stack[depth * n : (depth + 1) * n]
        total[:] = 0
        for r in range(leaf * ROWS_OF_A_LEAF, min((leaf + 1) * ROWS_OF_A_LEAF, m)):
            row = x[start + place_of(op, r) :]
            if squares:
                for i in range(n):
                    d = row[i] - mean[i]
                    total[i] = fma(d, d, total[i])
            else:
                for i in range(n):
                    total[i] += row[i]
        depth = join_leaf(leaf, depth + 1, stack, n)
    join_rest(depth, stack, n)


@part
def learn(op: Operation, unit: int, m: int, mean: Number, variance: Number, state: Numbers) -> None:
    """The batch enters the running statistics: first a plain average, then an exponential one."""
    real, counter = state.dtype.type, op.counters + unit
    state[counter] += real(1)
    weight = real(max(1.0 - op.momentum, 1.0 / max(np.float64(state[counter]), 1.0)))
    at_mean, at_variance = op.state + unit, op.state + op.n_units + unit
    unbiased = variance * real(np.float64(m) / np.float64(m - 1))
    state[at_mean] = fma(weight, mean - state[at_mean], state[at_mean])
    state[at_variance] = fma(weight, unbiased - state[at_variance], state[at_variance])


@part
def statistics_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """Fill in mean, 1 / standard deviation, gamma and beta, of the batch or as remembered."""
    low, high = in_use(op, low, high, w)
    mean, inverse = figure(op, MEAN, low, high, w, like), figure(op, INVERSE, low, high, w, like)
    gamma, beta = figure(op, GAMMA, low, high, w, like), figure(op, BETA, low, high, w, like)
    theta, state = view(w.theta, like), view(w.state, like)
    real, present = mean.dtype.type, present_of(op.side_out, w)
    if w.learns:
        moments(op, low, now, w, mean, inverse, scratch_of(me, w, like))
    for i in range(high - low):
        unit = unit_at(op, low + i, w)
        if not w.learns:
            mean[i], inverse[i] = state[op.state + unit], state[op.state + op.n_units + unit]
        elif present[unit]:
            learn(op, unit, now.rows * op.groups, mean[i], inverse[i], state)
        inverse[i] = real(1) / np.sqrt(inverse[i] + real(op.epsilon))
        gamma[i], beta[i] = theta[op.weights + unit], theta[op.bias + unit]


@part
def sums_task(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """The sums of dy and of dy * x_hat over rows and positions."""
    low, high = in_use(op, low, high, w)
    mean, inverse = figure(op, MEAN, low, high, w, like), figure(op, INVERSE, low, high, w, like)
    activations, slopes, n = view(w.activations, like), view(w.slopes, like), high - low
    stack, m, depth = scratch_of(me, w, like), now.rows * op.groups, 0
    for leaf in range(n_leaves(m)):
        total = stack[2 * depth * n : (2 * depth + 1) * n]
        product = stack[(2 * depth + 1) * n : (2 * depth + 2) * n]
        total[:], product[:] = 0, 0
        for r in range(leaf * ROWS_OF_A_LEAF, min((leaf + 1) * ROWS_OF_A_LEAF, m)):
            ahead = place_of(op, r) + low
            x, dy = activations[op.x * w.capacity + ahead :], slopes[op.dy * w.capacity + ahead :]
            for i in range(n):
                total[i] += dy[i]
                product[i] = fma(dy[i], (x[i] - mean[i]) * inverse[i], product[i])
        depth = join_leaf(leaf, depth + 1, stack, 2 * n)
    join_rest(depth, stack, 2 * n)
    copy(stack, figure(op, SUM, low, high, w, like))
    copy(stack[n:], figure(op, PRODUCT, low, high, w, like))


@part
def batch_norm(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    """``y = gamma * (x - mean) * inverse + beta``."""
    n = count_of(op.side_out, w) if op.thin_out else op.n_units
    mean, inverse = figure(op, MEAN, 0, n, w, like), figure(op, INVERSE, 0, n, w, like)
    gamma, beta = figure(op, GAMMA, 0, n, w, like), figure(op, BETA, 0, n, w, like)
    activations = view(w.activations, like)
    for r in range(low * op.groups, high * op.groups):
        x = activations[op.x * w.capacity + place_of(op, r) :]
        y = activations[op.y * w.capacity + place_of(op, r) :]
        for i in range(n):
            y[i] = fma(gamma[i], (x[i] - mean[i]) * inverse[i], beta[i])


@part
def batch_norm_backward(
    op: Operation, low: int, high: int, now: Round, w: Work, like: Like
) -> None:
    """In place, from the sums over the whole batch."""
    n = count_of(op.side_out, w) if op.thin_out else op.n_units
    mean, inverse = figure(op, MEAN, 0, n, w, like), figure(op, INVERSE, 0, n, w, like)
    gamma = figure(op, GAMMA, 0, n, w, like)
    total, product = figure(op, SUM, 0, n, w, like), figure(op, PRODUCT, 0, n, w, like)
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    each = gamma.dtype.type(1) / gamma.dtype.type(now.rows * op.groups)
    for r in range(low * op.groups, high * op.groups):
        x = activations[op.x * w.capacity + place_of(op, r) :]
        dy = slopes[op.dy * w.capacity + place_of(op, r) :]
        for i in range(n):
            x_hat = (x[i] - mean[i]) * inverse[i]
            common = fma(x_hat, product[i], total[i])
            dy[i] = gamma[i] * inverse[i] * fma(-common, each, dy[i])


@part
def layer_norm(op: Operation, low: int, high: int, w: Work, like: Like) -> None:
    activations, theta = view(w.activations, like), view(w.theta, like)
    gamma, beta = theta[op.weights :], theta[op.bias :]
    means, n = view(w.statistics, like)[op.statistics :], op.n_in
    for r in range(low, high):
        x = activations[op.x * w.capacity + r * op.stride_in :][:n]
        y = activations[op.y * w.capacity + r * op.stride_out :][:n]
        one, count = y.dtype.type(1), y.dtype.type(n)
        mean = lane_sum(x) / count
        for i in range(n):
            y[i] = x[i] - mean
        inverse = one / np.sqrt(lane_dot(y, y) / count + y.dtype.type(op.epsilon))
        means[r], means[w.capacity + r] = mean, inverse
        for i in range(n):
            y[i] = fma(gamma[i], y[i] * inverse, beta[i])


@part
def layer_norm_backward(
    op: Operation, low: int, high: int, me: Thread, w: Work, like: Like
) -> None:
    if op.dx == NO_PLACE:
        return
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    gamma, x_hat = view(w.theta, like)[op.weights :], scratch_of(me, w, like)[: op.n_in]
    means = view(w.statistics, like)[op.statistics :]
    for r in range(low, high):
        x = activations[op.x * w.capacity + r * op.stride_in :]
        dy = slopes[op.dy * w.capacity + r * op.stride_out :]
        dx = slopes[op.dx * w.capacity + r * op.stride_in :][: op.n_in]
        mean, inverse = means[r], means[w.capacity + r]
        for i in range(op.n_in):
            x_hat[i] = (x[i] - mean) * inverse
            dx[i] = dy[i] * gamma[i]
        layer_norm_slopes(inverse, x_hat, dx)


@part
def layer_norm_slopes(inverse: Number, x_hat: Numbers, dx: Numbers) -> None:
    """From the slopes by x_hat to those by x, in place."""
    each = dx.dtype.type(1) / dx.dtype.type(dx.size)
    through_mean, through_variance = lane_sum(dx) * each, lane_dot(dx, x_hat) * each
    for i in range(dx.size):
        dx[i] = inverse * (dx[i] - fma(x_hat[i], through_variance, through_mean))


@part
def layer_norm_gradients(
    op: Operation, low: int, now: Round, w: Work, d_gamma: Numbers, d_beta: Numbers, stack: Numbers
) -> None:
    """The sums over rows of ``dy * x_hat`` and of dy, of the columns from `low` on."""
    like, n, depth = d_gamma.dtype.type(0), d_gamma.size, 0
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    means = view(w.statistics, like)[op.statistics :]
    for leaf in range(n_leaves(now.rows)):
        total = stack[2 * depth * n : (2 * depth + 1) * n]
        product = stack[(2 * depth + 1) * n : (2 * depth + 2) * n]
        total[:], product[:] = 0, 0
        for r in range(leaf * ROWS_OF_A_LEAF, min((leaf + 1) * ROWS_OF_A_LEAF, now.rows)):
            mean, inverse = means[r], means[w.capacity + r]
            x = activations[op.x * w.capacity + r * op.stride_in + low :]
            dy = slopes[op.dy * w.capacity + r * op.stride_out + low :]
            for i in range(n):
                total[i] += dy[i]
                product[i] = fma(dy[i], (x[i] - mean) * inverse, product[i])
        depth = join_leaf(leaf, depth + 1, stack, 2 * n)
    join_rest(depth, stack, 2 * n)
    copy(stack, d_beta)
    copy(stack[n:], d_gamma)
