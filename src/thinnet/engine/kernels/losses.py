"""The loss of one row and its slope: compiled twins of `thinnet.losses`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from thinnet.engine.kernels.functions import exp, log, sigmoid, softplus
from thinnet.engine.opcodes import (
    ABSOLUTE,
    BINARY,
    CROSS_ENTROPY,
    GAUSSIAN,
    HUBER,
    SQUARED,
)
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
    for c in range(n):
        for r in range(rows):
            across[c * rows + r] = z[r * n + c]
    for r in range(rows):
        top[r] = across[r]
        total[r], value[r] = 0, 0
    for c in range(1, n):
        for r in range(rows):
            x = across[c * rows + r]
            top[r] = top[r] if x <= top[r] else x  # a NaN wins
    for c in range(n):
        for r in range(rows):
            across[c * rows + r] -= top[r]
    for i in range(n * rows):
        e[i] = exp(across[i])
    for c in range(n):
        for r in range(rows):
            total[r] += e[c * rows + r]
    for r in range(rows):
        log_sum[r] = log(np.float64(total[r]))
        total[r] = real(1) / total[r]
    for c in range(n):
        for r in range(rows):
            target = kept * t[r * n + c] + rest
            term = target * (log_sum[r] - across[c * rows + r])
            value[r] += term if target > 0 else real(0)
            t[r * n + c] = e[c * rows + r] * total[r] - target
    for r in range(rows):
        each[r] = value[r]


@part
def real_loss(code: Any, a: Any, z: Any, target: Any, slope: Any) -> Any:
    """The losses of real targets, the mean over outputs."""
    real = z.dtype.type
    n, half, two = real(z.size), real(0.5), real(2)
    a = real(a)
    each = 0.0
    for i in range(z.size):
        t = real(target[i])
        if code == SQUARED:
            error = z[i] - t
            each += error * error
            slope[i] = two * error / n
        elif code == ABSOLUTE:
            error = z[i] - t
            each += abs(error)
            slope[i] = np.sign(error) / n
        elif code == HUBER:
            error = z[i] - t
            clipped = min(max(error, -a), a)
            each += clipped * (error - half * clipped)
            slope[i] = clipped / n
        elif code == BINARY:
            each += softplus(z[i]) - t * z[i]
            slope[i] = (sigmoid(z[i]) - t) / n
        else:  # Poisson
            rate = exp(z[i])
            each += rate - t * z[i] + real(math.lgamma(target[i] + 1.0))
            slope[i] = (rate - t) / n
    return real(each) / n


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


@part
def loss_of_row(code: Any, a: Any, z: Any, label: Any, target: Any, slope: Any) -> Any:
    if code == CROSS_ENTROPY:
        return cross_entropy(z, label, target, a, slope)
    if code == GAUSSIAN:
        return gaussian(z, target, slope)
    return real_loss(code, a, z, target, slope)
