"""Sums in the orders of docs/arithmetic.md: 16 partial sums within a row, a tree over rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thinnet.arithmetic.constants import LANES, ROWS_OF_A_LEAF
from thinnet.arrays import Array


def lane_sum(x: Array) -> Any:
    """The sum over the first axis: number i enters partial sum i mod 16, then halves are added."""
    lanes = min(LANES, 1 << max(len(x) - 1, 0).bit_length())  # the others would stay 0
    parts = np.zeros((lanes, *x.shape[1:]), x.dtype)
    for start in range(0, len(x), lanes):
        some = x[start : start + lanes]
        parts[: len(some)] += some
    while len(parts) > 1:
        half = len(parts) // 2
        parts = parts[:half] + parts[half:]
    return parts[0]


def lane_mean(x: Array) -> Any:
    """The mean over the first axis, of what `lane_sum` adds."""
    return lane_sum(x) / len(x)


def tree_sum(x: Array) -> Any:
    """The sum over the first axis: of blocks of 128 in ascending order, joined by the tree."""
    if x.dtype == np.bool_:
        return x.sum(axis=0)  # a count, which no order changes
    if len(x) <= ROWS_OF_A_LEAF:
        return np.add.accumulate(x)[-1] + 0.0 if len(x) else np.zeros(x.shape[1:])
    return sum_of_blocks(np.ascontiguousarray(in_blocks(padded(x))))


def padded(x: Array) -> Array:
    """The rows, and rows of zeros after them that fill the last block."""
    blocks = math.ceil(len(x) / ROWS_OF_A_LEAF)
    found = np.zeros((blocks * ROWS_OF_A_LEAF, *x.shape[1:]), x.dtype)
    found[: len(x)] = x
    return found


def in_blocks(rows: Array) -> Array:
    """Padded rows as blocks that lie side by side, shape (128, blocks, ...): a view."""
    return rows.reshape(-1, ROWS_OF_A_LEAF, *rows.shape[1:]).swapaxes(0, 1)


def sum_of_blocks(blocks: Array) -> Any:
    """`tree_sum` of two blocks or more, which lie side by side in contiguous memory.

    So NumPy adds row to row, one after the other.
    """
    nodes = np.add.reduce(blocks, axis=0) + 0.0
    while len(nodes) > 1:
        even = len(nodes) // 2 * 2
        nodes = np.concatenate([nodes[:even:2] + nodes[1:even:2], nodes[even:]])
    return nodes[0]


def total_weight(weights: Array) -> float:
    """The exact sum of weights, rounded once."""
    return math.fsum(weights.tolist())


def tree_mean(x: Array, weights: Array | None = None) -> Any:
    """The mean over the first axis: with weights of ``w * x``, divided by `total_weight`."""
    if weights is None:
        return tree_sum(x) / len(x)
    column = weights.astype(np.float64).reshape(-1, *[1] * (x.ndim - 1))
    return tree_sum(column * x) / total_weight(weights)


def tree_variance(x: Array) -> Any:
    """The variance over the first axis: the mean of squared differences from the mean.

    Of numbers that are all equal it is 0: differences from the first of them are taken first.
    """
    shifted = x - x[:1]
    return tree_mean(np.square(shifted - tree_mean(shifted)))


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
