"""What compiled code gets: flat tables and vectors, in NamedTuples that it sees as structures."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.arrays import Array

ROUND: Final = np.dtype(
    [
        *((name, np.int64) for name in ("start", "stop", "rows", "step", "count", "out")),
        *((name, np.int64) for name in ("adds", "finishes")),
        *((name, np.float64) for name in ("learning_rate", "total", "loss")),
    ]
)
"""One pass over some rows, and in training what is done with its gradient.

``start``, ``stop``: which of the data's `order`; ``rows``: how many are computed, padding
included; ``step``: of the masks; ``count``: optimiser steps before this one; ``out``: where
outputs start; ``adds``: to the gradient of the rounds before; ``finishes``: a step; ``total``:
the sum of the weights of the step's rows; ``loss``: written.
"""


class Program(NamedTuple):
    """What is done, the same for every round."""

    operations: Array
    stages: Array
    instructions: Array
    tasks: Array
    votes: Array
    maps: Array  # int32: which draw serves a unit, where axes share
    widths: Array  # of sides
    settings: Array  # of the optimiser
    optimiser: int
    capacity: int  # rows that the buffers hold
    shard_rows: int
    learns: int
    keeps_gradient: int
    clip_norm: float  # infinity for none


class Vectors(NamedTuple):
    theta: Array
    seen: Array  # parameters as thinned operations see them
    gradient: Array
    state: Array
    first: Array  # the optimiser's
    second: Array


class Sides(NamedTuple):
    """What exists of the inputs and outputs of layers; side 0 is all there."""

    present: Array
    index: Array
    rank: Array
    count: Array
    chance: Array


class Buffers(NamedTuple):
    activations: Array
    slopes: Array
    statistics: Array
    row_loss: Array
    squares: Array  # of each task's gradient
    scratch: Array  # one row for each thread
    drawn: Array
    bits: Array
    shared: Array  # `kernels.team`, then the number of the first round that went wrong
    outputs: Array


class Data(NamedTuple):
    source: Array  # `kernels.gather`
    starts: Array
    labels: Array
    targets: Array
    weights: Array
    ids: Array
    order: Array


class Rounds(NamedTuple):
    table: Array
    limits: Array
    levels: Array
    keys: Array


class Work(NamedTuple):
    """All that one call of the driver works on."""

    program: Program
    vectors: Vectors
    sides: Sides
    buffers: Buffers
    data: Data
    rounds: Rounds
