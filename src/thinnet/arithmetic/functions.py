"""Exponentials, logarithms and what is made of them, of arrays of float64.

The formulas of docs/arithmetic.md with every product and sum rounded: ``+ - * /`` alone, so that
NumPy gives the same bits on every system.  Long arrays are worked on in parts that stay in the
processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from functools import wraps
from typing import Any, Final

import numpy as np

from thinnet.arithmetic.constants import (
    COSINE,
    EXP_RANGE,
    FACTORIALS,
    FULL_TURN,
    LOG_2,
    MORE_ODD_PARTS,
    ODD_PARTS,
    SINE,
    SQRT_HALF,
)
from thinnet.arrays import Array

PART: Final = 2**13  # numbers at a time
NORMAL_EXP: Final = (-708.0, 709.0)  # where e^x is a normal number
LEAST_NORMAL: Final = float(np.finfo(np.float64).tiny)
SQRT_HALF_BITS: Final = int(np.float64(SQRT_HALF).view(np.int64))
LOG2_E_512: Final = 512 * 1.4426950408889634
LOG_2_OF_512: Final = tuple(part / 512 for part in LOG_2)
# The bits of 2^(i / 512), each rounded once from 40 digits.
_DIGITS: Final = Context(prec=40)
ROOTS: Final = np.array(
    [float(_DIGITS.power(2, _DIGITS.divide(Decimal(i), 512))) for i in range(512)]
).view(np.int64)


def in_parts(function: Callable[[Array], Array]) -> Callable[[Any], Array]:
    """`function` of numbers apart from each other, for numbers of any type and shape."""

    @wraps(function)
    def code(x: Any) -> Array:
        x = np.asarray(x, np.float64)
        with np.errstate(all="ignore"):
            if x.size <= PART:
                return function(x)
            flat = np.ascontiguousarray(x).reshape(-1)
            out = np.empty_like(flat)
            for start in range(0, flat.size, PART):
                out[start : start + PART] = function(flat[start : start + PART])
            return out.reshape(x.shape)

    return code


def horner(coefficients: tuple[float, ...], x: Any) -> Any:
    """``sum_k coefficients[k] * x^k``, every product and sum rounded."""
    total = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total *= x
        total += coefficient
    return total


def _scaled(n: Array) -> Array:
    """The bits of 2^(n / 512), for whole n whose power is a normal number."""
    return ROOTS[n & 511] + (n >> 9 << 52)


@in_parts
def exp(x: Array) -> Array:
    """e^x to 2 ulp; 0 and infinity beyond the type's range, subnormal numbers included."""
    least, most = EXP_RANGE
    if x.size and x.min() > NORMAL_EXP[0] and x.max() < NORMAL_EXP[1]:
        n, y = _reduced_exp(x)
        y *= _scaled(n).view(np.float64)
        return y
    n, y = _reduced_exp(np.minimum(np.maximum(x, least), most))
    half = n >> 10 << 9  # in two parts: the power itself may not be a normal number
    y *= _scaled(n - half).view(np.float64)
    y *= _scaled(half).view(np.float64)
    return y


def _reduced_exp(x: Array) -> tuple[Array, Array]:
    """Whole n, and ``e^x / 2^(n / 512)``."""
    high, low = LOG_2_OF_512
    n = np.floor(x * LOG2_E_512 + 0.5)
    r = x - n * high
    r -= n * low
    return n.astype(np.int64), horner(FACTORIALS[:5], r)


@in_parts
def expm1(x: Array) -> Array:
    """``e^x - 1`` to 4 ulp, also near 0."""
    inside = np.minimum(np.maximum(x, -0.5), 0.5)
    return np.where(abs(x) <= 0.5, inside * horner(FACTORIALS[1:], inside), exp(x) - 1.0)


@in_parts
def log(x: Array) -> Array:
    """The natural logarithm to 3 ulp; minus infinity of 0, NaN below."""
    if x.size and x.min() >= LEAST_NORMAL and x.max() < np.inf:
        bits = x.view(np.int64)
        exponent = (bits - SQRT_HALF_BITS) >> 52
        return _log_of_parts((bits - (exponent << 52)).view(np.float64), exponent * 1.0)
    mantissa, exponent = np.frexp(x)  # in [1/2, 1)
    below = mantissa < SQRT_HALF
    found = _log_of_parts(np.where(below, 2 * mantissa, mantissa), exponent - below * 1.0)
    ordinary = (x > 0) & (x < np.inf)
    return np.where(ordinary, found, np.where(x == 0, -np.inf, np.where(x > 0, x, np.nan)))


def _log_of_parts(m: Array, n: Array) -> Array:
    """``log(m * 2^n)`` for m in [sqrt(1/2), sqrt(2))."""
    high, low = LOG_2
    s = (m - 1) / (m + 1)
    small = 2 * s * horner(ODD_PARTS, s * s)
    small += n * low
    small += n * high
    return small


def _near_log1p(x: Array) -> Array:
    """``log(1 + x)`` for x in [-1/2, 1]: ``2 atanh(x / (2 + x))``."""
    s = x / (2 + x)
    return 2 * s * horner(MORE_ODD_PARTS, s * s)


@in_parts
def log1p(x: Array) -> Array:
    """``log(1 + x)`` to 4 ulp, also near 0."""
    inside = np.minimum(np.maximum(x, -0.5), 1.0)
    return np.where((x >= -0.5) & (x <= 1), _near_log1p(inside), log(1 + x))


@in_parts
def sigmoid(x: Array) -> Array:
    """``1 / (1 + e^-x)`` to 3 ulp."""
    return 1 / (1 + exp(-x))


@in_parts
def softplus(x: Array) -> Array:
    """``log(1 + e^x)`` to 4 ulp."""
    return np.maximum(x, 0.0) + _near_log1p(exp(-abs(x)))


def x_log_y(x: Any, y: Any) -> Array:
    """``x * log(y)``, 0 where x is."""
    with np.errstate(invalid="ignore"):
        return np.where(np.equal(x, 0) & ~np.isnan(y), 0.0, x * log(y))


def entropy_of(p: Any) -> Array:
    """``-p * log(p)``, 0 where p is."""
    return -x_log_y(p, p)


def cos_sin(turns: Any) -> tuple[Any, Any]:
    """Cosine and sine of ``2 pi turns``, turns in [0, 1), to 4 ulp of 1."""
    quarter = np.floor(4 * turns + 0.5)
    r = (turns - quarter / 4) * FULL_TURN  # in [-pi/4, pi/4]
    c, s = horner(COSINE, r * r), r * horner(SINE, r * r)
    odd, behind = quarter % 2 == 1, np.isin(quarter, (2, 3))
    c, s = np.where(odd, -s, c), np.where(odd, c, s)
    return np.where(behind, -c, c), np.where(behind, -s, s)


def nearest_power_of_two(x: float) -> int:
    """The whole number that is nearest to the binary logarithm of x, which is above 0."""
    mantissa, exponent = math.frexp(x)
    return exponent - (mantissa < SQRT_HALF)


def whole_power(base: float, exponent: int) -> float:
    """``base ** exponent``, at least 0, by repeated squaring from the exponent's lowest bit."""
    result, square = 1.0, base
    while exponent:
        result = result * square if exponent & 1 else result
        square, exponent = square * square, exponent >> 1
    return result


def power(base: float, exponent: float) -> float:
    """``base ** exponent`` for a base above 0: `whole_power`, or ``exp(exponent * log(base))``."""
    if exponent != int(exponent):
        return float(exp(exponent * log(base)))
    found = whole_power(base, abs(int(exponent)))
    return found if exponent >= 0 else 1 / found
