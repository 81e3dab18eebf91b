"""The loss of one row and its slope: compiled twins of `thinnet.losses`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.functions import exp, sigmoid, softplus
from thinnet.engine.opcodes import (
    ABSOLUTE,
    BINARY,
    CROSS_ENTROPY,
    GAUSSIAN,
    HUBER,
    SQUARED,
)

LOG_2_PI = math.log(2 * math.pi)


@kernel
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


@kernel
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


@kernel
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


@kernel
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


@kernel
def loss_of_row(code: Any, a: Any, z: Any, label: Any, target: Any, slope: Any) -> Any:
    if code == CROSS_ENTROPY:
        return cross_entropy(z, label, target, a, slope)
    if code == GAUSSIAN:
        return gaussian(z, target, slope)
    return real_loss(code, a, z, target, slope)
