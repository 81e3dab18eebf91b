"""The loss of one row and its slope: compiled twins of `thinnet.losses`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from thinnet.engine.kernels.functions import exp, log, sigmoid, softplus
from thinnet.engine.opcodes import ABSOLUTE, BINARY, HUBER, POISSON, SQUARED
from thinnet.engine.parts import part

NARROW: Final = 32  # classes, up to which rows are worked on side by side
LOG_2_PI: Final = math.log(2 * math.pi)


@part
def softmax(z: Any, p: Any) -> Any:
    """``p = softmax(z)``; gives the maximum of z and the log of the sum of ``exp(z - maximum)``."""
    top = z[0]
    for i in range(1, z.size):
        top = z[i] if z[i] > top or z[i] != z[i] else top
    total = z.dtype.type(0)
    for i in range(z.size):
        p[i] = exp(z[i] - top)
    for i in range(z.size):
        total += p[i]
    for i in range(z.size):
        p[i] /= total
    return top, z.dtype.type(math.log(total))


@part
def cross_entropy(z: Any, label: Any, soft: Any, smoothing: Any, slope: Any) -> Any:
    """``-sum t log softmax(z)``; t is 1 at `label`, or `soft`, smoothed."""
    real = z.dtype.type
    top, log_sum = softmax(z, slope)
    each = real(0)
    kept, rest = real(1 - smoothing), real(smoothing) / real(z.size)
    for i in range(z.size):
        t = real(i == label) if soft.size == 0 else real(soft[i])
        t = kept * t + rest
        if t > 0:
            each -= t * (z[i] - top - log_sum)
        slope[i] -= t
    return each


@part
def narrow_cross_entropy(z: Any, t: Any, n: Any, smoothing: Any, each: Any, spare: Any) -> None:
    """`cross_entropy` of several rows with few classes, a lane for each row.

    `t` holds the targets and gets the slopes; `spare` has room for two numbers for each of z and
    four for each row.
    """
    real, rows = z.dtype.type, each.size
    across, e = spare[: n * rows], spare[n * rows : 2 * n * rows]
    top, total = spare[2 * n * rows :], spare[(2 * n + 1) * rows :]
    log_sum, value = spare[(2 * n + 2) * rows :], spare[(2 * n + 3) * rows :]
    kept, rest = real(1 - smoothing), real(smoothing) / real(n)
    for r in range(rows):
        total[r], value[r], top[r] = 0, 0, z[r * n]
    for c in range(n):
        column = across[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] = z[r * n + c]
            top[r] = top[r] if column[r] <= top[r] else column[r]  # a NaN wins
    for c in range(n):
        column = across[c * rows : (c + 1) * rows]
        for r in range(rows):
            column[r] -= top[r]
    for i in range(n * rows):
        e[i] = exp(across[i])
    for c in range(n):
        column = e[c * rows : (c + 1) * rows]
        for r in range(rows):
            total[r] += column[r]
    for r in range(rows):
        log_sum[r] = log(np.float64(total[r]))
        total[r] = real(1) / total[r]
    for c in range(n):
        column, shares = across[c * rows : (c + 1) * rows], e[c * rows : (c + 1) * rows]
        for r in range(rows):
            target = kept * t[r * n + c] + rest
            term = target * (log_sum[r] - column[r])
            value[r] += term if target > 0 else real(0)
            t[r * n + c] = shares[r] * total[r] - target
    for r in range(rows):
        each[r] = value[r]


@part
def output_losses(code: Any, a: Any, per_row: Any, z: Any, t: Any, value: Any, slope: Any) -> None:
    """Losses of outputs z with targets t; slopes of their mean over the `per_row` of a row."""
    real = t.dtype.type
    half, by = real(0.5), real(1) / real(per_row)
    a = real(a)
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
            clipped = min(max(error, -a), a)
            value[i], slope[i] = clipped * (error - half * clipped), clipped * by
    elif code == BINARY:
        for i in range(t.size):
            value[i], slope[i] = softplus(z[i]) - t[i] * z[i], (sigmoid(z[i]) - t[i]) * by
    elif code == POISSON:
        for i in range(t.size):
            rate = exp(z[i])
            value[i], slope[i] = rate - t[i] * z[i], (rate - t[i]) * by
        for i in range(t.size):  # apart from the loop above, which can be vectors
            value[i] += real(math.lgamma(np.float64(t[i]) + 1.0))


@part
def gaussian(z: Any, target: Any, slope: Any) -> Any:
    """Negative log likelihood; the first half of z are means, the second log variances."""
    real = z.dtype.type
    m, half, one = z.size // 2, real(0.5), real(1)
    each, constant = real(0), real(LOG_2_PI)
    for i in range(m):
        s = z[m + i]
        error, precision = z[i] - real(target[i]), exp(-s)
        square = error * error * precision
        each += half * (constant + s + square)
        slope[i] = error * precision / real(m)
        slope[m + i] = half * (one - square) / real(m)
    return each / real(m)
