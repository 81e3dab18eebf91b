"""The arithmetic of docs/arithmetic.md in plain NumPy, an operation at a time: the oracle.

Every function rounds where the page says so and nowhere else.  NumPy's ``+ - * /`` and square root
round once; a fused multiply-add is made here.
"""

from __future__ import annotations

import numpy as np

INPUTS_OF_A_BLOCK, ROWS_OF_A_BLOCK, LANES = 256, 128, 16


def fma(x, y, z):
    """``x * y + z``, rounded once, of arrays of one type."""
    x, y, z = np.broadcast_arrays(x, y, z)
    with np.errstate(all="ignore"):
        return _fma_32(x, y, z) if x.dtype == np.float32 else _fma_64(x, y, z)


def _fma_32(x, y, z):
    """The product is exact in float64; rounded to odd, its sum can be rounded again."""
    product = x.astype(np.float64) * y.astype(np.float64)
    return _sum_to_odd(product, z.astype(np.float64)).astype(np.float32)


def _fma_64(x, y, z):
    """Boldo and Melquiond 2008, Figure 2: exact product, exact sum, a rounding to odd."""
    high, low = _two_product(x, y)
    upper, lower = _two_sum(z, low)
    top, rest = _two_sum(high, upper)
    exact = top + _sum_to_odd(rest, lower)
    plain = x * y + z  # where the parts overflow; NaN, infinities and zeros are right here
    return np.where(np.isfinite(exact) & (exact != 0), exact, plain)


def _two_sum(a, b):
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def _two_product(a, b):
    """``a * b`` as two numbers (Dekker 1971), where nothing over- or underflows."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, rest


def _halves(a):
    scaled = a * 134217729.0  # 2^27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _sum_to_odd(a, b):
    """``a + b`` in float64; where it is inexact, the neighbour whose last bit is 1."""
    total, error = _two_sum(a, b)
    bits = np.ascontiguousarray(total).view(np.int64)
    moves = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    outwards = (error > 0) == (total > 0)
    odd = np.where(moves, bits + np.where(outwards, 1, -1), bits)
    return odd.view(np.float64)


def chain(terms):
    """``s = fma(a, b, s)`` for each pair of `terms`, from +0 on."""
    total = None
    for a, b in terms:
        total = fma(a, b, np.zeros_like(a * b) if total is None else total)
    return total


def blocked_product(a, b):
    """``a @ b`` over inputs or units: blocks of 256 terms, added to +0 in ascending order."""
    total = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for first in range(0, a.shape[1], INPUTS_OF_A_BLOCK):
        block = range(first, min(first + INPUTS_OF_A_BLOCK, a.shape[1]))
        total = total + chain((a[:, k, None], b[k, None, :]) for k in block)
    return total


def tree(leaves):
    """The leaves joined: complete subtrees first, then what remains from the right."""
    waiting = []
    for leaf in leaves:
        level, node = 0, leaf
        while waiting and waiting[-1][0] == level:
            node, level = waiting.pop()[1] + node, level + 1
        waiting.append((level, node))
    node = waiting.pop()[1]
    while waiting:
        node = waiting.pop()[1] + node
    return node


def _row_blocks(n):
    return [range(first, min(first + ROWS_OF_A_BLOCK, n)) for first in range(0, n, ROWS_OF_A_BLOCK)]


def product_over_rows(a, b):
    """``a.T @ b``: a chain in each block of 128 rows, and the tree."""
    return tree(
        [chain((a[r, :, None], b[r, None, :]) for r in block) for block in _row_blocks(len(a))]
    )


def sum_over_rows(a):
    """The sum of the rows of `a`: additions from +0 in each block of 128, and the tree."""
    return tree([_added(a, block) for block in _row_blocks(len(a))])


def _added(a, block):
    total = np.zeros_like(a[0])
    for r in block:
        total = total + a[r]
    return total


def chained_over_rows(a, b):
    """The sum over rows of the products of neighbours ``a[r] * b[r]``, by fused multiply-adds."""
    return tree([chain((a[r], b[r]) for r in block) for block in _row_blocks(len(a))])


def _lanes_joined(lanes):
    half = LANES // 2
    while half:
        lanes, half = [lanes[j] + lanes[j + half] for j in range(half)], half // 2
    return lanes[0]


def sum_within_rows(a):
    """The sum of each row: number i enters partial sum i mod 16; halves are added."""
    lanes = [np.zeros(a.shape[:-1], a.dtype) for _ in range(LANES)]
    for i in range(a.shape[-1]):
        lanes[i % LANES] = lanes[i % LANES] + a[..., i]
    return _lanes_joined(lanes)


def chained_within_rows(a, b):
    """The sum of ``a * b`` of each row, by fused multiply-adds."""
    lanes = [np.zeros(a.shape[:-1], a.dtype) for _ in range(LANES)]
    for i in range(a.shape[-1]):
        lanes[i % LANES] = fma(a[..., i], b[..., i], lanes[i % LANES])
    return _lanes_joined(lanes)
