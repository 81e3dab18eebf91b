"""The order of the rows in an epoch, and their batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.arrays import Array
from thinnet.layers.base import trait
from thinnet.network import executor
from thinnet.network.bound import Bound


def batches(network: Bound, rows: int, batch_size: int, accumulate: int) -> list[slice]:
    """Consecutive batches; a last one too small to learn from is joined to the one before."""
    least = 2 * accumulate if _mixes_rows(network) else 1
    starts = list(range(0, rows, batch_size))
    if len(starts) > 1 and rows - starts[-1] < least:
        starts.pop()
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], rows], strict=True)]


def micro_batches(network: Bound, rows: int, accumulate: int) -> list[slice]:
    """At most `accumulate` parts of a batch, each of as many leaves of the sums over its rows.

    So their sums join to those of the whole batch (docs/arithmetic.md).  A last part too small to
    learn from is joined to the one before.
    """
    leaves, each = math.ceil(rows / ROWS_OF_A_LEAF), ROWS_OF_A_LEAF
    while leaves > accumulate:
        leaves, each = math.ceil(leaves / 2), 2 * each
    starts = list(range(0, rows, each))
    if len(starts) > 1 and rows - starts[-1] < (2 if _mixes_rows(network) else 1):
        starts.pop()
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], rows], strict=True)]


def _mixes_rows(network: Bound) -> bool:
    """Does a layer need two rows to learn from?"""
    return any(trait(layer, "mixes_rows") for layer in network.layers)


def keyed_order(network: Bound, epoch: int, rows: int) -> Array:
    """The order of the rows in an epoch of the network's life, a function of its seed."""
    return executor.permutation(network)(network.seed, "shuffle", epoch, rows)


def generator_state(stream: np.random.RandomState) -> Array | None:
    """The state of `stream` as 32-bit words; None if it is not a Mersenne Twister."""
    name, *state = stream.get_state(legacy=False).values()
    if name != "MT19937":
        return None
    numbers: Any = state[0]
    return np.append(numbers["key"], np.uint32(numbers["pos"])).astype(np.uint32)


def generator(state: Array) -> np.random.RandomState:
    stream = np.random.RandomState()
    stream.set_state(("MT19937", state[:-1], int(state[-1]), 0, 0.0))
    return stream


class Shuffles:
    """The order of the rows in each epoch, made from a random state as scikit-learn's MLP does.

    Attributes
    ----------
    state : array or None
        The generator's state before the first epoch.
    """

    def __init__(self, rows: int, stream: np.random.RandomState) -> None:
        self.state = generator_state(stream)
        self._order, self.stream, self.done = np.arange(rows), stream, 0

    def __call__(self, epoch: int) -> Array:
        """The order of an epoch; epochs must not decrease from call to call."""
        while self.done <= epoch:
            self._order = self._order[self.stream.permutation(len(self._order))]
            self.done += 1
        return self._order
