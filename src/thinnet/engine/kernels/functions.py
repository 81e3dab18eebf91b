"""exp, tanh, erf and log in forms that the compiler turns into vectors.

The C library's, called one number at a time, cost 2 to 15 ns each (measured).  Each function says
its largest error in units in the last place (ulp), which a test measures against mpmath.  They are
compiled exactly as they are written: reassociation would undo the two-part constants of Cody and
Waite 1980, and a compiler that may fuse multiply-adds fuses others in vectors than in what is left
of a loop behind them, so that a value would depend on its place.  `fma` says which are fused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from llvmlite import ir
from numba import types

from thinnet.arithmetic import ERFCX
from thinnet.engine.aliases import (
    Arguments,
    Body,
    Builder,
    Context,
    Intrinsic,
    Kind,
    Number,
    Signature,
    Value,
)
from thinnet.engine.compile import intrinsic, overload

LOG2_E: Final = 1.4426950408889634
# log 2 in two parts, the first of few enough bits that n * first is exact for every n needed.
LOG_2: Final = {
    32: (0.693359375, -2.12194440e-4),
    64: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
EXP_RANGE: Final = {32: (-104.0, 89.0), 64: (-746.0, 710.0)}  # 0 below, infinity above
# Taylor's series: 1 / k! for exp, 1 / (2k + 1) for atanh; as long as the type can tell.
FACTORIALS: Final = {
    bits: tuple(1 / math.factorial(k) for k in range(n)) for bits, n in ((32, 8), (64, 15))
}
ODD_PARTS: Final = {
    bits: tuple(1 / (2 * k + 1) for k in range(n)) for bits, n in ((32, 8), (64, 18))
}


@intrinsic
def _two_to_the(typing: Kind, n: Kind, like: Kind) -> Intrinsic:
    """2^n for an int32 n within the exponents of normal numbers of the type of `like`."""
    bits = like.bitwidth
    mantissa, bias = (23, 127) if bits == 32 else (52, 1023)

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        whole = ir.IntType(bits)
        n = builder.sext(arguments[0], whole) if bits > 32 else arguments[0]
        exponent = builder.add(n, ir.Constant(whole, bias))
        shifted = builder.shl(exponent, ir.Constant(whole, mantissa))
        return builder.bitcast(shifted, context.get_value_type(like))

    return like(types.int32, like), code


def _in_type(x: Kind, values: Sequence[float]) -> tuple[Number, ...]:
    return tuple(np.float32(v) if x.bitwidth == 32 else np.float64(v) for v in values)


@intrinsic
def fma(typing: Kind, x: Kind, y: Kind, z: Kind) -> Intrinsic:
    """``x * y + z``, rounded once."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        return builder.fma(*arguments)

    return z(z, z, z), code


@intrinsic
def polynomial(typing: Kind, coefficients: Kind, x: Kind) -> Intrinsic:
    """``sum_k coefficients[k] * x^k`` by Horner's rule, without a loop for the compiler to keep."""

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        series, x = arguments
        total = builder.extract_value(series, len(coefficients) - 1)
        for k in range(len(coefficients) - 2, -1, -1):
            total = builder.fma(total, x, builder.extract_value(series, k))
        return total

    return x(coefficients, x), code


@intrinsic
def plain_polynomial(typing, coefficients, x):  # type: ignore[no-untyped-def]
    """`polynomial` with every product and sum rounded."""

    def code(
        context: Context, builder: Builder, signature: Signature, arguments: Arguments
    ) -> Value:
        series, x = arguments
        total = builder.extract_value(series, len(coefficients) - 1)
        for k in range(len(coefficients) - 2, -1, -1):
            product = builder.fmul(total, x)
            total = builder.fadd(product, builder.extract_value(series, k))
        return total

    return x(coefficients, x), code


def exp(x: Number) -> Number:
    """e^x to 2 ulp; 0 and infinity beyond the type's range, numbers below normal included."""
    raise NotImplementedError


@overload(exp)
def _exp(x: Kind) -> Body:
    log2_e, half, high, low = _in_type(x, (LOG2_E, 0.5, *LOG_2[x.bitwidth]))
    least, most = _in_type(x, EXP_RANGE[x.bitwidth])
    series = _in_type(x, FACTORIALS[x.bitwidth])

    def code(x: Number) -> Number:
        inside = min(max(x, least), most)
        n = np.floor(fma(inside, log2_e, half))
        r = fma(-n, low, fma(-n, high, inside))
        whole = np.int32(n)
        first = whole >> np.int32(1)  # in two parts: 2^n itself may not be a normal number
        power = _two_to_the(first, x)
        y = polynomial(series, r) * power * _two_to_the(whole - first, x)
        return y if x == x else x

    return code


def expm1(x: Number) -> Number:
    """``e^x - 1`` to 4 ulp, also near 0; for x <= 1/2."""
    raise NotImplementedError


@overload(expm1)
def _expm1(x: Kind) -> Body:
    one, limit = _in_type(x, (1.0, 0.5))
    series = _in_type(x, FACTORIALS[x.bitwidth][1:])

    def code(x: Number) -> Number:
        inside = min(max(x, -limit), limit)
        near, far = inside * polynomial(series, inside), exp(x) - one
        return near if abs(x) <= limit else far

    return code


def sigmoid(x: Number) -> Number:
    """``1 / (1 + e^-x)`` to 3 ulp."""
    raise NotImplementedError


@overload(sigmoid)
def _sigmoid(x: Kind) -> Body:
    (one,) = _in_type(x, (1.0,))

    def code(x: Number) -> Number:
        return one / (one + exp(-x))

    return code


def tanh(x: Number) -> Number:
    """tanh to 7 ulp: ``-u / (u + 2)`` with ``u = e^(-2 |x|) - 1``."""
    raise NotImplementedError


@overload(tanh)
def _tanh(x: Kind) -> Body:
    zero, two = _in_type(x, (0.0, 2.0))

    def code(x: Number) -> Number:
        u = expm1(-two * abs(x))
        y = -u / (u + two)
        return -y if x < zero else y

    return code


def log1p(x: Number) -> Number:
    """``log(1 + x)`` to 3 ulp for x in [0, 1]: ``2 atanh(x / (2 + x))``."""
    raise NotImplementedError


@overload(log1p)
def _log1p(x: Kind) -> Body:
    (two,) = _in_type(x, (2.0,))
    series = _in_type(x, ODD_PARTS[x.bitwidth])

    def code(x: Number) -> Number:
        s = x / (two + x)
        return two * s * polynomial(series, s * s)

    return code


def softplus(x: Number) -> Number:
    """``log(1 + e^x)`` to 4 ulp."""
    raise NotImplementedError


@overload(softplus)
def _softplus(x: Kind) -> Body:
    (zero,) = _in_type(x, (0.0,))

    def code(x: Number) -> Number:
        return max(x, zero) + log1p(exp(-abs(x)))

    return code


def normal_cdf(x: Number) -> Number:
    """The standard normal distribution function, to 8 + x^2 ulp, far tails included."""
    raise NotImplementedError


@overload(normal_cdf)
def _normal_cdf(x: Kind) -> Body:
    zero, half, one, two, centre, root = _in_type(x, (0.0, 0.5, 1.0, 2.0, 3.75, 2**-0.5))
    (most,) = _in_type(x, (40.0,))  # beyond, the tail is 0 in every type
    series = _in_type(x, ERFCX)

    def code(x: Number) -> Number:
        far = min(abs(x), most) * root
        scaled = polynomial(series, (far - centre) / (far + centre)) / fma(two, far, one)
        tail = half * scaled * exp(-half * x * x)
        return tail if x < zero else one - tail

    return code
