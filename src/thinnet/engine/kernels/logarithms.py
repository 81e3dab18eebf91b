"""The logarithm in float64, and what is made of it: powers and the logarithm of gamma.

Compiled exactly as written, like `functions`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types

from thinnet.arithmetic import HALF_LOG_2_PI, STIRLING
from thinnet.engine.aliases import (
    Arguments,
    Body,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic, overload
from thinnet.engine.kernels.functions import LOG_2, ODD_PARTS, exp, fma, polynomial

SQRT_HALF: Final = int(np.float64(0.5**0.5).view(np.int64))  # its bits


@intrinsic
def _float_bits(typing: Kind, x: Kind) -> Intrinsic:
    """The bits of a float64 as an int64."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), code


@intrinsic
def _from_bits(typing: Kind, bits: Kind) -> Intrinsic:
    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), code


def split(x: np.float64) -> tuple[float, float]:
    """m in [sqrt(1/2), sqrt(2)) and n, both float64, with ``x = m 2^n`` normal and above 0."""
    raise NotImplementedError


@overload(split)
def _split(x: Kind) -> Body:
    def code(x: np.float64) -> tuple[float, float]:
        bits = _float_bits(x)
        exponent = (bits - SQRT_HALF) >> np.int64(52)
        return _from_bits(bits - (exponent << np.int64(52))), np.float64(exponent)

    return code


def log(x: np.float64) -> np.float64:
    """The natural logarithm of a normal float64 above 0, to 3 ulp."""
    raise NotImplementedError


@overload(log)
def _log(x: Kind) -> Body:
    high, low = LOG_2[64]
    series = ODD_PARTS[64][:12]

    def code(x: np.float64) -> np.float64:
        m, n = split(x)
        s = (m - 1.0) / (m + 1.0)
        return fma(n, high, fma(n, low, 2.0 * s * polynomial(series, s * s)))

    return code


def power(base: np.float64, exponent: np.float64) -> np.float64:
    """``base ** exponent`` in float64, for a base in [0, 1) and an exponent above 0.

    Whole exponents by repeated squaring, from the lowest bit of the exponent on.
    """
    raise NotImplementedError


@overload(power)
def _power(base: Kind, exponent: Kind) -> Body:
    def code(base: np.float64, exponent: np.float64) -> np.float64:
        if exponent != np.floor(exponent):
            return np.float64(exp(exponent * log(base))) if base > 0 else np.float64(0)
        result, square, bits = np.float64(1), base, np.int64(exponent)
        while bits:
            if bits & 1:
                result *= square
            square *= square
            bits >>= 1
        return result

    return code


def log_gamma(x: np.float64) -> np.float64:
    """``log gamma(x)`` of a float64 of at least 1, to 20 ulp of the larger of it and 1."""
    raise NotImplementedError


@overload(log_gamma)
def _log_gamma(x: Kind) -> Body:
    def code(x: np.float64) -> np.float64:
        product = np.float64(1)
        while x < 8.0:
            product *= x
            x += 1.0
        series = polynomial(STIRLING, 1.0 / (x * x)) / x
        return fma(x - 0.5, log(x), -x) + (HALF_LOG_2_PI + series) - log(product)

    return code
