"""The functions of docs/arithmetic.md that are computed without a compiler, in plain Python.

A number at a time: Python's ``+ - * /``, the square root and scaling by powers of two, which are
rounded once each.
"""

import math
from fractions import Fraction
from functools import cache

from arithmetic_functions import ERFCX

LANES, ROWS_OF_A_BLOCK = 16, 128
LOG2_E = 1.4426950408889634
HIGH, LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
HALF_LOG_2_PI = 0.9189385332046727
ROOT_2_PI = 2.5066282746310002
STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]
LACKING = [
    0.0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093,
    0.016644691189821193, 0.013876128823070748, 0.01189670994589177,
]  # fmt: skip


def lanes(values):
    """The sum of numbers within a row."""
    parts = [0.0] * LANES
    for i, value in enumerate(values):
        parts[i % LANES] += value
    for half in (8, 4, 2, 1):
        parts = [parts[j] + parts[j + half] for j in range(half)]
    return parts[0]


def rows(values):
    """The sum of numbers over rows: blocks of 128, joined by the tree."""
    waiting = []
    for first in range(0, len(values), ROWS_OF_A_BLOCK):
        level, node = 0, 0.0
        for value in values[first : first + ROWS_OF_A_BLOCK]:
            node += value
        while waiting and waiting[-1][0] == level:
            level, node = level + 1, waiting.pop()[1] + node
        waiting.append((level, node))
    node = waiting.pop()[1]
    while waiting:
        node = waiting.pop()[1] + node
    return node


def horner(coefficients, x):
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


@cache
def root(i):
    """2^(i / 512), rounded once: its 512th power lies between those of the halfway numbers."""
    near = 2.0 ** (i / 512)
    for y in (near, math.nextafter(near, 0), math.nextafter(near, 4)):
        below, above = ((Fraction(y) + Fraction(math.nextafter(y, end))) / 2 for end in (0, 4))
        if below**512 <= Fraction(2) ** i <= above**512:
            return y
    raise AssertionError(i)


def exp(x):
    if math.isnan(x):
        return x
    inside = min(max(x, -746.0), 710.0)
    n = math.floor(inside * (512 * LOG2_E) + 0.5)
    r = (inside - n * (HIGH / 512)) - n * (LOW / 512)
    y = horner([1 / math.factorial(k) for k in range(5)], r) * root(n % 512)
    return math.inf if n // 512 > 1023 else math.ldexp(y, n // 512)


def expm1(x):
    series = [1 / math.factorial(k) for k in range(1, 15)]
    return x * horner(series, x) if abs(x) <= 0.5 else exp(x) - 1.0


def log(x):
    if x == 0:
        return -math.inf
    m, n = math.frexp(x)
    if m < math.sqrt(0.5):
        m, n = 2 * m, n - 1
    s = (m - 1) / (m + 1)
    return n * HIGH + (n * LOW + 2 * s * horner([1 / (2 * k + 1) for k in range(12)], s * s))


def log1p(x):
    if not -0.5 <= x <= 1:
        return log(1 + x)
    s = x / (2 + x)
    return 2 * s * horner([1 / (2 * k + 1) for k in range(18)], s * s)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    return max(x, 0.0) + log1p(exp(-abs(x)))


def cdf(x):
    f = min(abs(x), 40.0) * math.sqrt(0.5)
    c = horner(ERFCX, (f - 3.75) / (f + 3.75)) / (2 * f + 1)
    tail = 0.5 * c * exp(-0.5 * x * x)
    return tail if x < 0 else 1 - tail


def density(x):
    return exp(-0.5 * x * x) / ROOT_2_PI


def normal_quantile(p):
    if p == 0.5:
        return 0.0
    level = p if p < 0.5 else 1 - p
    t = math.sqrt(-2 * log(level))
    above, below = (2.515517, 0.802853, 0.010328), (1.0, 1.432788, 0.189269, 0.001308)
    x = horner(above, t) / horner(below, t) - t
    for _ in range(3):
        step = (cdf(x) - level) / density(x)
        x = x - step / (1 + x * step / 2)
    return x if p < 0.5 else -x


def lgamma(x):
    product = 1.0
    while x < 8:
        product, x = product * x, x + 1
    series = horner(STIRLING, 1 / (x * x)) / x
    return ((x - 0.5) * log(x) - x) + (HALF_LOG_2_PI + series) - log(product)


def deviance(rate, k):
    e = (rate - k) / k
    if not -0.5 <= e <= 1:
        return k * (e - log1p(e))
    s = e / (2 + e)
    series = horner([1 / (2 * j + 3) for j in range(17)], s * s)
    return k * (s * e - 2 * s * (s * s) * series)


def log_chance(k, rate):
    """The log of the probability that a Poisson variable is k."""
    if k == 0:
        return -rate
    lacking = LACKING[int(k)] if k < 8 else horner(STIRLING, 1 / (k * k)) / k
    return -deviance(rate, k) - lacking - (HALF_LOG_2_PI + log(k) / 2)


def poisson_cdf(k, rate):
    """The probability of at most k, for k below 150."""
    is_lower = k <= rate
    over, under, term, total = (k, rate, 1.0, 1.0) if is_lower else (rate, k + 1.0, 1.0, 0.0)
    before = -1.0
    while total != before:
        term = term * over / under
        before, total = total, total + term
        over, under = (over - 1, under) if is_lower else (over, under + 1)
    found = exp(log_chance(k, rate)) * total
    return found if is_lower else 1 - found


def softmax(z):
    top = max(z)
    e = [exp(each - top) for each in z]
    inverse = 1 / lanes(e)
    return [each * inverse for each in e]


def log_sum_exp(values):
    top = max(values)
    return top + log(lanes([exp(value - top) for value in values]))


def mean(values):
    return lanes(values) / len(values)


def variance(values, ddof=0):
    center = mean(values)
    return lanes([(value - center) * (value - center) for value in values]) / (len(values) - ddof)


def entropy(p):
    return lanes([-(each * log(each)) if each else -0.0 for each in p])
