"""The memory of a program: made once when a network is bound to a number of rows."""

from __future__ import annotations

import math

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.kernels.team import shared_size
from thinnet.engine.lowering import Lowered
from thinnet.engine.program import UNITS
from thinnet.engine.tables import Buffers, Program, Sides


def widest(lowered: Lowered) -> int:
    return max(max(op["n_in"], op["n_out"]) for op in lowered.operations)


def scratch_size(lowered: Lowered) -> int:
    """For one thread: the gradient of a task's units, and a row beside it."""
    blocks = [
        min(UNITS, op["n_out"]) * (op["n_in"] + 1)
        for op in lowered.operations
        if op["kind"] == code.DENSE
    ]
    return max([2 * UNITS, *blocks]) + widest(lowered)


def drawn_size(lowered: Lowered) -> tuple[int, int]:
    """For one thread: normal numbers, and bytes of keep bits, of one row."""
    normal = (code.TIMES_NORMAL, code.PLUS_NORMAL)
    numbers = [op["n_drawn"] for op in lowered.operations if op["noise"] in normal]
    bits = [op["n_drawn"] for op in lowered.operations if op["noise"] == code.MASK]
    bits += [vote["n_drawn"] for vote in lowered.votes]
    bits += [op["n_in"] + 16 for op in lowered.operations if op["dropped"]]
    return max([1, *numbers]), math.ceil(max([8, *bits]) / 8) + 8


def buffers(
    lowered: Lowered, program: Program, dtype: np.dtype, outputs: Array, n_threads: int
) -> Buffers:
    rows = program.capacity
    numbers, n_bytes = drawn_size(lowered)
    return Buffers(
        activations=np.zeros(lowered.columns * rows, dtype),
        slopes=np.zeros(lowered.slope_columns * rows, dtype),
        statistics=np.zeros(lowered.statistics + lowered.row_statistics * rows, dtype),
        row_loss=np.zeros(rows),
        squares=np.zeros(_largest_stage(program)),
        scratch=np.zeros((n_threads, scratch_size(lowered)), dtype),
        drawn=np.zeros((n_threads, numbers)),
        bits=np.zeros((n_threads, n_bytes), np.uint8),
        shared=np.zeros(shared_size(len(program.stages)) + 1, np.int64),
        outputs=outputs,
    )


def _largest_stage(program: Program) -> int:
    """How many squares there are to add up, where the gradient is clipped."""
    return max(
        (s["last"] - s["first"] for s in program.stages if s["kind"] == code.NORM), default=0
    )


def sides(lowered: Lowered) -> Sides:
    n, width = len(lowered.sides), max([*lowered.sides, widest(lowered)])
    everything = np.arange(width, dtype=np.int32)
    return Sides(
        present=np.ones((n, width), np.uint8),
        index=np.tile(everything, (n, 1)),
        rank=np.tile(everything, (n, 1)),
        count=np.full(n, width, np.int64),
        chance=np.ones(n),
    )
