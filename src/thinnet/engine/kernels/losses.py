"""The loss of one row and its slope: compiled twins of `thinnet.losses`."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from thinnet.engine.aliases import Number, Numbers, Reals
from thinnet.engine.kernels.functions import exp, fma, log, sigmoid, softplus
from thinnet.engine.kernels.softmax import softmax
from thinnet.engine.linking import exact_part, part
from thinnet.engine.opcodes import ABSOLUTE, BINARY, HUBER, POISSON, SQUARED

NARROW: Final = 32  # classes, up to which rows are worked on side by side
LOG_2_PI: Final = math.log(2 * math.pi)


@part
def cross_entropy(z: Numbers, label: int, soft: Reals, smoothing: float, slope: Numbers) -> Number:
    """``-sum t log softmax(z)``; t is 1 at `label`, or `soft`, smoothed."""
    real = z.dtype.type
    top, log_sum = softmax(z, slope)
    each = real(0)
    kept, rest = real(1 - smoothing), real(smoothing) / real(z.size)
    for i in range(z.size):
        t = smoothed(i, label, soft, kept, rest)
        if t > 0:
            each -= t * (z[i] - top - log_sum)
        slope[i] -= t
    return each


@exact_part
def smoothed(i: int, label: int, soft: Reals, kept: Number, rest: Number) -> Number:
    """The target of class i."""
    t = 1.0 if i == label else 0.0
    if soft.size:
        t = soft[i]
    return fma(kept, type(rest)(t), rest)


@exact_part
def narrow_cross_entropy(
    z: Numbers, t: Numbers, n: int, smoothing: float, each: Reals, spare: Numbers
) -> None:
    """`cross_entropy` of several rows with few classes, a lane for each row.

    `t` holds the targets and gets the slopes; `spare` has room for two numbers for each of z and
    four for each row.
    """
    real, rows = z.dtype.type, each.size
    across, e = spare[: n * rows], spare[n * rows : 2 * n * rows]
    top, total, log_sum, value = (
        spare[2 * n * rows : (2 * n + 1) * rows],
        spare[(2 * n + 1) * rows : (2 * n + 2) * rows],
        spare[(2 * n + 2) * rows : (2 * n + 3) * rows],
        spare[(2 * n + 3) * rows : (2 * n + 4) * rows],
    )
    turn_and_lower(z, n, top, across)
    sum_exponentials(across, e, total)
    for r in range(rows):
        log_sum[r], value[r] = log(np.float64(total[r])), 0
        total[r] = real(1) / total[r]
    kept, rest = real(1 - smoothing), real(smoothing) / real(n)
    for c in range(n):
        column, shares = across[c * rows : (c + 1) * rows], e[c * rows : (c + 1) * rows]
        for r in range(rows):
            target = fma(kept, t[r * n + c], rest)
            more = fma(target, log_sum[r] - column[r], value[r])
            value[r] = more if target > 0 else value[r]
            t[r * n + c] = fma(shares[r], total[r], -target)
    for r in range(rows):
        each[r] = value[r]


@exact_part
def turn_and_lower(z: Numbers, n: int, top: Numbers, across: Numbers) -> None:
    """The n columns of z one behind the other, less the greatest of each row."""
    rows = top.size
    for r in range(rows):
        top[r] = z[r * n]
    for c in range(n):
        column = across[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] = z[r * n + c]
            top[r] = top[r] if column[r] <= top[r] else column[r]  # a NaN wins
    for c in range(n):
        column = across[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] -= top[r]


@exact_part
def sum_exponentials(across: Numbers, e: Numbers, total: Numbers) -> None:
    rows = total.size
    total[:] = 0
    for i in range(e.size):
        e[i] = exp(across[i])
    for c in range(e.size // rows):
        column = e[c * rows : (c + 1) * rows]
        for r in range(rows):
            total[r] += column[r]


@exact_part
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
            value[i] += real(math.lgamma(np.float64(t[i]) + 1.0))


@part
def gaussian(z: Numbers, target: Reals, slope: Numbers) -> Number:
    """Negative log likelihood; the first half of z are means, the second log variances."""
    real = z.dtype.type
    m, each, constant = z.size // 2, real(0), real(LOG_2_PI)
    precisions_and_squares(z, target, slope)
    for i in range(m, 2 * m):
        each += real(0.5) * (constant + z[i] + slope[i])
    gaussian_slopes(z, target, slope)
    return each / real(m)


@exact_part
def precisions_and_squares(z: Numbers, target: Reals, out: Numbers) -> None:
    """In the first half of `out` 1 / variance, in the second the error's square in its units."""
    m = z.size // 2
    for i in range(m):
        error, out[i] = z[i] - z.dtype.type(target[i]), exp(-z[m + i])
        out[m + i] = error * error * out[i]


@exact_part
def gaussian_slopes(z: Numbers, target: Reals, slope: Numbers) -> None:
    """From what `precisions_and_squares` has left in `slope`."""
    real, m = z.dtype.type, z.size // 2
    for i in range(m):
        slope[i] = (z[i] - real(target[i])) * slope[i] / real(m)
        slope[m + i] = real(0.5) * (real(1) - slope[m + i]) / real(m)
