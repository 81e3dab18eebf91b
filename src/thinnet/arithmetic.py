"""Functions of float64 made of ``+ - * /`` and the square root alone: the same bits everywhere.

What a network starts from (first weights, noise, schedules) is computed by these, and not by the C
library's or NumPy's, which round differently from system to system (docs/arithmetic.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from thinnet.arrays import Array

VERSION: Final = 1  # of docs/arithmetic.md
ROWS_OF_A_LEAF: Final = 128  # of the tree of sums over rows

LOG_2: Final = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # in two parts
ODD_PARTS: Final = tuple(1 / (2 * k + 1) for k in range(12))
COSINE: Final = tuple((-1) ** k / math.factorial(2 * k) for k in range(9))
SINE: Final = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(9))
SQRT_HALF: Final = math.sqrt(0.5)
FULL_TURN: Final = 2 * math.pi


def _horner(coefficients: tuple[float, ...], x: Any) -> Any:
    """``sum_k coefficients[k] * x^k``, every product and sum rounded."""
    total = x * 0.0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def log(x: Array) -> Array:
    """The natural logarithm of normal numbers above 0, to 3 ulp."""
    mantissa, exponent = np.frexp(x)  # in [1/2, 1)
    below = mantissa < SQRT_HALF
    m = np.where(below, 2 * mantissa, mantissa)
    n = exponent - below.astype(np.float64)
    s = (m - 1) / (m + 1)
    high, low = LOG_2
    return n * high + (n * low + 2 * s * _horner(ODD_PARTS, s * s))


def cos_sin(turns: Any) -> tuple[Any, Any]:
    """Cosine and sine of ``2 pi turns``, turns in [0, 1), to 4 ulp of 1."""
    quarter = np.floor(4 * turns + 0.5)
    r = (turns - quarter / 4) * FULL_TURN  # in [-pi/4, pi/4]
    c, s = _horner(COSINE, r * r), r * _horner(SINE, r * r)
    odd, behind = quarter % 2 == 1, np.isin(quarter, (2, 3))
    c, s = np.where(odd, -s, c), np.where(odd, c, s)
    return np.where(behind, -c, c), np.where(behind, -s, s)


def whole_power(base: float, exponent: int) -> float:
    """``base ** exponent``, at least 0, by repeated squaring from the exponent's lowest bit."""
    result, square = 1.0, base
    while exponent:
        result = result * square if exponent & 1 else result
        square, exponent = square * square, exponent >> 1
    return result


def joined(nodes: Sequence[float]) -> float:
    """Nodes of the tree of a sum over rows, joined: neighbours, then those that they make."""
    values = list(nodes)
    while len(values) > 1:
        pairs = [a + b for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]


def folded_sum(values: Array) -> Array:
    """The sum over the first axis: its second half is added to the first until one is left."""
    while len(values) > 1:
        half = (len(values) + 1) // 2
        joined = values[:half].copy()
        joined[: len(values) - half] += values[half:]
        values = joined
    return values[0]


def orthonormal(g: Array) -> Array:
    """Orthonormal columns from a matrix of normal numbers with at least as many rows.

    A product of reflections, one for the numbers of each column from the diagonal down (Stewart
    1980, section 3); the first column points where that of `g` does.
    """
    rows, columns = g.shape
    q = np.zeros((rows, columns))
    for k in reversed(range(columns)):
        v = g[k:, k].copy()
        norm = math.sqrt(folded_sum(v * v))
        sign = -1.0 if v[0] < 0 else 1.0
        v[0] += sign * norm
        q[k, k] = -sign
        part = q[k:, k:]
        along = folded_sum(v[:, None] * part)
        part -= v[:, None] * (along * (2 / folded_sum(v * v)))
    return q
