"""The functions of docs/arithmetic.md in plain NumPy, with the oracle's fused multiply-add."""

import math

import numpy as np
from arithmetic import fma

EXP_RANGE = {4: (-104.0, 89.0), 8: (-746.0, 710.0)}
LOG_2 = {
    4: (0.693359375, -2.12194440e-4),
    8: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
ERFCX = (
    1.2375126308378275, -0.14024059858554697, 0.0035854154854644293, 0.0822767384901452,
    -0.10880393014174886, 0.09230432116037748, -0.05869339858963677, 0.028362277418956406,
    -0.009746579558029276, 0.0017556258528952954, 0.0002937136655913448, -0.0002901540805408417,
    5.164909889268241e-05, 2.238423915508223e-05, -1.1444146237700525e-05, -9.735598967367743e-07,
    1.7516376488490644e-06, -5.721823060322481e-08, -2.586685071615614e-07, 2.326350870885963e-08,
    3.867533424222407e-08, -3.744210080962221e-09, -5.17399021401197e-09, 3.111433380980274e-10,
    4.251471444797501e-10,
)  # fmt: skip


def quietly(function):
    """NumPy's warnings of overflow and NaN are no part of the arithmetic."""

    def code(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return code


def _horner(coefficients, x):
    real = x.dtype.type
    total = np.broadcast_to(real(coefficients[-1]), x.shape)
    for coefficient in reversed(coefficients[:-1]):
        total = fma(total, x, np.broadcast_to(real(coefficient), x.shape))
    return total


def _factorials(x, first):
    """``1 / k!`` from k = first on, as many as the type can tell."""
    n = 8 if x.itemsize == 4 else 15
    return [1 / math.factorial(k) for k in range(first, n)]


def _odd_parts(n):
    return [1 / (2 * k + 1) for k in range(n)]


@quietly
def exp(x):
    real, size = x.dtype.type, x.itemsize
    least, most = (real(end) for end in EXP_RANGE[size])
    high, low = (real(part) for part in LOG_2[size])
    inside = np.minimum(np.maximum(x, least), most)
    n = np.floor(fma(inside, real(math.log2(math.e)), real(0.5)))
    r = fma(-n, low, fma(-n, high, inside))
    whole = np.where(np.isnan(n), 0, n).astype(np.int64)
    power = np.ldexp(np.ones_like(x), whole >> 1)
    rest = np.ldexp(np.ones_like(x), whole - (whole >> 1))
    return np.where(np.isnan(x), x, _horner(_factorials(x, 0), r) * power * rest)


@quietly
def expm1(x):
    real = x.dtype.type
    near = x * _horner(_factorials(x, 1), x)
    return np.where(abs(x) <= real(0.5), near, exp(x) - real(1))


@quietly
def sigmoid(x):
    real = x.dtype.type
    return real(1) / (real(1) + exp(-x))


@quietly
def tanh(x):
    real = x.dtype.type
    u = expm1(real(-2) * abs(x))
    y = -u / (u + real(2))
    return np.where(x < 0, -y, y)


@quietly
def log1p(x):
    real = x.dtype.type
    s = x / (real(2) + x)
    return real(2) * s * _horner(_odd_parts(8 if x.itemsize == 4 else 18), s * s)


@quietly
def softplus(x):
    return np.maximum(x, x.dtype.type(0)) + log1p(exp(-abs(x)))


@quietly
def normal_cdf(x):
    real = x.dtype.type
    f = np.minimum(abs(x), real(40)) * real(2**-0.5)
    c = _horner(ERFCX, (f - real(3.75)) / (f + real(3.75))) / fma(real(2), f, real(1))
    tail = real(0.5) * c * exp(real(-0.5) * x * x)
    return np.where(x < 0, tail, real(1) - tail)


@quietly
def log(x):
    """Of positive normal float64."""
    mantissa, n = np.frexp(x)  # in [1/2, 1)
    low_half = mantissa < math.sqrt(0.5)
    m, n = np.where(low_half, 2 * mantissa, mantissa), np.where(low_half, n - 1, n)
    s, n = (m - 1) / (m + 1), n.astype(np.float64)
    high, low = LOG_2[8]
    return fma(n, high, fma(n, low, 2 * s * _horner(_odd_parts(12), s * s)))


def power(base, t):
    """``base ** t``, a Python float."""
    if t != int(t):
        logarithm = float(log(np.array([base]))[0])
        return float(exp(np.array([t * logarithm]))[0])
    result, square, bits = 1.0, base, int(t)
    while bits:
        result = result * square if bits & 1 else result
        square, bits = square * square, bits >> 1
    return result
