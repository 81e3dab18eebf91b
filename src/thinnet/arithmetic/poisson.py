"""The gamma function and the Poisson distribution."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.arithmetic.constants import HALF_LOG_2_PI, STIRLING
from thinnet.arithmetic.functions import exp, horner, in_parts, log, log1p
from thinnet.arithmetic.normal import ROOT_2_PI, normal_cdf
from thinnet.arrays import Array

PART: Final = 2**13  # numbers at a time
# What Stirling's formula lacks of log(k!), for k below 8; for 0 it is not used.
LACKING: Final = np.array([
    0.0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093,
    0.016644691189821193, 0.013876128823070748, 0.01189670994589177,
])  # fmt: skip
LARGE: Final = 150  # counts from which on the distribution is nearly normal
# In powers of eta, one series for each power of 1 / (k + 1) (Temme 1979; DiDonato and Morris 1986).
TEMME: Final = (
    (
        -1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600, 1 / 25515, -571 / 261273600,
        -281 / 151559100, 8.29671134095308601e-07, -1.76659527368260793e-07,
        6.70785354340149857e-09, 1.02618097842403080e-08,
    ),
    (
        -1 / 540, -1 / 288, 1 / 378, -77 / 77760, 1 / 4860, -4.01877572016460905e-07,
        -1.80985503344899778e-05, 7.64916091608111008e-06,
    ),
    (
        4.13359788359788360e-03, -2.68132716049382716e-03, 7.71604938271604938e-04,
        2.00938786008230453e-06, -1.07366532263651605e-04, 5.29234488291201254e-05,
    ),
    (
        6.49434156378600823e-04, 2.29472093621399177e-04, -4.69189494395255712e-04,
        2.67720632062838853e-04,
    ),
    (-8.61888290916711698e-04, 7.84039221720066628e-04, -2.99072480303190180e-04),
    (-3.36798553366358150e-04, -6.97281375836585777e-05),
)  # fmt: skip
TERMS: Final = 8  # that are added before it is looked which sums still change
FAR: Final = 0.5  # eta from which on nothing is left for these series to correct
THIRD_PARTS: Final = tuple(1 / (2 * k + 3) for k in range(17))


def _stirling(x: Array) -> Array:
    """What Stirling's formula lacks of log gamma, for x of at least 8."""
    return horner(STIRLING, 1 / (x * x)) / x


@in_parts
def log_gamma(x: Array) -> Array:
    """``log gamma(x)`` for x >= 1, to 20 ulp of the larger of it and 1."""
    product = np.ones_like(x)
    for _ in range(7):
        product = np.where(x < 8, product * x, product)
        x = np.where(x < 8, x + 1, x)
    return ((x - 0.5) * log(x) - x) + (HALF_LOG_2_PI + _stirling(x)) - log(product)


def _deviance(rate: Array, k: Array) -> Array:
    """``rate - k - k log(rate / k)`` for k > 0, exact also where both are near (Loader 2000)."""
    e = (rate - k) / k
    s = e / (2 + e)
    near = s * e - 2 * s * (s * s) * horner(THIRD_PARTS, s * s)
    far = np.where(e < np.inf, e - log1p(e), e)
    return k * np.where((e >= -0.5) & (e <= 1), near, far)


def poisson_log_chance(k: Any, rate: Any) -> Array:
    """The log of the probability of a whole number k."""
    k, rate = np.broadcast_arrays(np.asarray(k, np.float64), rate)
    with np.errstate(all="ignore"):
        some = np.maximum(k, 1)
        small = LACKING[np.minimum(some, 7).astype(np.intp)]
        lacking = np.where(some < 8, small, _stirling(np.maximum(some, 8)))
        found = -_deviance(rate, some) - lacking - (HALF_LOG_2_PI + log(some) / 2)
        return np.where(k > 0, found, -rate)


def poisson_cdf(k: Any, rate: Any) -> Array:
    """The probability of at most k, a whole number of at least -1."""
    k, rate = np.broadcast_arrays(np.asarray(k, np.float64), rate)
    shape, k, rate = k.shape, k.ravel(), rate.ravel()
    out = np.empty(k.shape)
    for start in range(0, k.size, PART):
        part = slice(start, start + PART)
        out[part] = _cdf(k[part], rate[part])
    return out.reshape(shape)


@np.errstate(all="ignore")
def _cdf(k: Array, rate: Array) -> Array:
    found = np.where(np.isnan(rate), np.nan, np.where((k >= 0) & (rate < np.inf), 1.0, 0.0))
    inside = (k >= 0) & (rate > 0) & (rate < np.inf)
    for mine, function in ((inside & (k < LARGE), _by_terms), (inside & (k >= LARGE), _by_temme)):
        if mine.any():
            found[mine] = function(k[mine], rate[mine])
    return found


def _by_terms(k: Array, rate: Array) -> Array:
    """The chance of k times the sum of its neighbours' ratios to it, downwards or upwards."""
    lower = k <= rate
    total = _ratios(np.where(lower, k, rate), np.where(lower, rate, k + 1), lower)
    found = exp(poisson_log_chance(k, rate)) * total
    return np.where(lower, found, 1 - found)


def _ratios(over: Array, under: Array, lower: Array) -> Array:
    """``a + over / under * (a + ...)``: downwards `over` falls by 1, upwards `under` rises."""
    total, term, waiting, found = (
        lower * 1.0,
        np.ones(lower.shape),
        np.arange(lower.size),
        lower * 1.0,
    )
    fall, rise = lower * 1.0, ~lower * 1.0
    while waiting.size:
        for _ in range(TERMS):
            term = term * over / under
            before, total = total, total + term
            over, under = over - fall, under + rise
        found[waiting] = total
        going = total != before  # later terms are smaller still
        waiting, total, term = waiting[going], total[going], term[going]
        over, under, fall, rise = over[going], under[going], fall[going], rise[going]
    return found


def _by_temme(k: Array, rate: Array) -> Array:
    a = k + 1
    half_square = _deviance(rate, a) / a
    eta = np.where(rate < a, -1.0, 1.0) * np.sqrt(2 * half_square)
    near = np.minimum(np.maximum(eta, -FAR), FAR)
    correction = horner(TEMME[-1], near)
    for series in TEMME[-2::-1]:
        correction = correction / a + horner(series, near)
    density = exp(-a * half_square) / (ROOT_2_PI * np.sqrt(a))
    return normal_cdf(-eta * np.sqrt(a)) + density * correction
