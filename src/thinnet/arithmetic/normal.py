"""The standard normal distribution."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.arithmetic.constants import ERFCX, SQRT_HALF
from thinnet.arithmetic.functions import PART, exp, horner, in_parts, log
from thinnet.arrays import Array

ROOT_2_PI: Final = 2.5066282746310002
# A start for quantiles, to 4.5e-4 (Abramowitz and Stegun 1964, 26.2.23).
ABOVE: Final = (2.515517, 0.802853, 0.010328)
BELOW: Final = (1.0, 1.432788, 0.189269, 0.001308)
STEPS: Final = 3


def _tail(x: Array, bell: Array) -> Array:
    """The distribution function at ``-|x|``; `bell`: ``e^(-x^2 / 2)``."""
    far = np.minimum(abs(x), 40.0) * SQRT_HALF
    scaled = horner(ERFCX, (far - 3.75) / (far + 3.75)) / (2 * far + 1)
    return 0.5 * scaled * bell


@in_parts
def normal_cdf(x: Array) -> Array:
    """The distribution function, to 8 + x^2 ulp, far tails included."""
    tail = _tail(x, exp(-0.5 * x * x))
    return np.where(x < 0, tail, 1 - tail)


@np.errstate(all="ignore")
def normal_cdf_and_density(x: Array) -> tuple[Array, Array]:
    """`normal_cdf`, and the density ``e^(-x^2 / 2) / sqrt(2 pi)``."""
    flat = np.ascontiguousarray(x, np.float64).reshape(-1)
    cdf, density = np.empty(flat.size), np.empty(flat.size)
    for start in range(0, flat.size, PART):
        part = slice(start, start + PART)
        some, bell = flat[part], exp(-0.5 * flat[part] * flat[part])
        tail = _tail(some, bell)
        cdf[part], density[part] = np.where(some < 0, tail, 1 - tail), bell / ROOT_2_PI
    return cdf.reshape(x.shape), density.reshape(x.shape)


def normal_quantile(p: Any) -> Array:
    """The quantile at levels in (0, 1), by Halley's steps in the lower half."""
    p = np.asarray(p, np.float64)
    level = np.where(p < 0.5, p, 1 - p)  # exact
    t = np.sqrt(-2 * log(level))
    x = horner(ABOVE, t) / horner(BELOW, t) - t
    for _ in range(STEPS):
        below, density = normal_cdf_and_density(x)
        step = (below - level) / density
        x = x - step / (1 + x * step / 2)
    return np.where(p < 0.5, x, np.where(p > 0.5, -x, 0.0))
