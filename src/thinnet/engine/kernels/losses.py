"""The loss of one row and its slope: compiled twins of `thinnet.losses`."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arithmetic import HALF_LOG_2_PI
from thinnet.engine.aliases import Number, Numbers, Reals
from thinnet.engine.kernels.functions import exp, fma, sigmoid, softplus
from thinnet.engine.kernels.lanes import LANES
from thinnet.engine.kernels.logarithms import log, log_gamma
from thinnet.engine.kernels.softmax import exponentials
from thinnet.engine.kernels.sums import lane_dot, lane_sum
from thinnet.engine.linking import part
from thinnet.engine.opcodes import ABSOLUTE, BINARY, HUBER, POISSON, SQUARED

NARROW: Final = 32  # classes, up to which rows are worked on side by side
LOG_2_PI: Final = 2 * HALF_LOG_2_PI


@part
def cross_entropy(z: Numbers, t: Numbers, smoothing: float, spare: Numbers) -> Number:
    """``-sum t log softmax(z)``; `t` holds the targets and gets the slopes.

    `spare` has room for two numbers for each class.
    """
    real, e, terms = z.dtype.type, spare[: z.size], spare[z.size : 2 * z.size]
    top, total = exponentials(z, e)
    log_sum, inverse = real(log(np.float64(total))), real(1) / total
    kept, rest = real(1 - smoothing), real(smoothing) / real(z.size)
    for i in range(z.size):
        t[i] = fma(kept, t[i], rest)
        terms[i] = log_sum - (z[i] - top) if t[i] > 0 else real(0)
    each = lane_dot(t, terms)
    for i in range(z.size):
        t[i] = fma(e[i], inverse, -t[i])
    return each


@part
def narrow_cross_entropy(
    z: Numbers, t: Numbers, n: int, stride: int, smoothing: float, each: Reals, spare: Numbers
) -> None:
    """`cross_entropy` of several rows with few classes, a lane for each row.

    `spare` has room for two numbers for each of z and `LANES` + 2 for each row.
    """
    real, rows = z.dtype.type, each.size
    d, e = spare[: n * rows], spare[n * rows : 2 * n * rows]
    inverse, log_sum = spare[2 * n * rows :][:rows], spare[(2 * n + 1) * rows :][:rows]
    parts = spare[(2 * n + 2) * rows :][: LANES * rows]
    turn_and_lower(z, stride, inverse, d)
    sum_exponentials(d, e, parts)
    for r in range(rows):
        log_sum[r], inverse[r] = log(np.float64(parts[r])), real(1) / parts[r]
    parts[:] = 0
    kept, rest = real(1 - smoothing), real(smoothing) / real(n)
    for c in range(n):
        less, some = d[c * rows : (c + 1) * rows], parts[c % LANES * rows :]
        exponentials = e[c * rows : (c + 1) * rows]
        for r in range(rows):
            target = fma(kept, t[r * stride + c], rest)
            more = fma(target, log_sum[r] - less[r], some[r])
            some[r] = more if target > 0 else some[r]
            t[r * stride + c] = fma(exponentials[r], inverse[r], -target)
    join_parts(parts)
    for r in range(rows):
        each[r] = parts[r]


@part
def turn_and_lower(z: Numbers, stride: int, top: Numbers, out: Numbers) -> None:
    """The columns of z one behind the other, less the greatest of each row."""
    rows = top.size
    n = out.size // rows
    for r in range(rows):
        top[r] = z[r * stride]
    for c in range(n):
        column = out[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] = z[r * stride + c]
            top[r] = top[r] if column[r] <= top[r] else column[r]  # a NaN wins
    for c in range(n):
        column = out[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] -= top[r]


@part
def sum_exponentials(d: Numbers, e: Numbers, parts: Numbers) -> None:
    """``e = exp(d)``, and the sum of each row's in the first of its `parts`."""
    rows = parts.size // LANES
    for i in range(e.size):
        e[i] = exp(d[i])
    parts[:] = 0
    for c in range(e.size // rows):
        column, some = e[c * rows : (c + 1) * rows], parts[c % LANES * rows :]
        for r in range(rows):
            some[r] += column[r]
    join_parts(parts)


@part
def join_parts(parts: Numbers) -> None:
    """Of each row's 16 partial sums the sum, in the first: halves are added."""
    half = parts.size // 2
    for _ in range(4):
        for i in range(half):
            parts[i] += parts[half + i]
        half //= 2


@part
def output_losses(
    code: int, a: float, per_row: int, z: Numbers, t: Numbers, value: Numbers, slope: Numbers
) -> None:
    """Losses of outputs z with targets t; slopes of their mean over the `per_row` of a row."""
    real = t.dtype.type
    half, by = real(0.5), real(1) / real(per_row)
    most = real(a)
    if code == SQUARED:
        for i in range(t.size):
            error = z[i] - t[i]
            value[i], slope[i] = error * error, real(2) * error * by
    elif code == ABSOLUTE:
        for i in range(t.size):
            error = z[i] - t[i]
            value[i], slope[i] = abs(error), np.sign(error) * by
    elif code == HUBER:
        for i in range(t.size):
            error = z[i] - t[i]
            clipped = min(max(error, -most), most)
            value[i], slope[i] = clipped * fma(-half, clipped, error), clipped * by
    elif code == BINARY:
        for i in range(t.size):
            value[i] = fma(-t[i], z[i], softplus(z[i]))
            slope[i] = (sigmoid(z[i]) - t[i]) * by
    elif code == POISSON:
        for i in range(t.size):
            rate = exp(z[i])
            value[i], slope[i] = fma(-t[i], z[i], rate), (rate - t[i]) * by
        for i in range(t.size):  # apart from the loop above, which can be vectors
            value[i] += real(log_gamma(np.float64(t[i]) + 1.0))


@part
def pinball(
    levels: Reals, per_row: int, z: Numbers, t: Numbers, value: Numbers, slope: Numbers
) -> None:
    """As `output_losses`, of quantiles at the levels of a row's outputs."""
    real = t.dtype.type
    by = real(1) / real(per_row)
    for i in range(t.size):
        level, error = levels[i % per_row], z[i] - t[i]
        side = real(1 - level) if error > 0 else -real(level) if error < 0 else error
        value[i], slope[i] = side * error, side * by


@part
def gaussian(z: Numbers, target: Reals, slope: Numbers, spare: Numbers) -> Number:
    """Negative log likelihood; the first half of z are means, the second log variances."""
    real, m = z.dtype.type, z.size // 2
    half, count, constant, each = real(0.5), real(m), real(LOG_2_PI), spare[:m]
    for i in range(m):
        precision, error = exp(-z[m + i]), z[i] - real(target[i])
        square = error * error * precision
        each[i] = half * (constant + z[m + i] + square)
        slope[i], slope[m + i] = error * precision / count, half * (real(1) - square) / count
    return lane_sum(each) / count
