"""The memory of a program: made once when a network is bound to a number of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.kernels.gradients import TOGETHER
from thinnet.engine.kernels.lanes import LANES
from thinnet.engine.kernels.losses import NARROW
from thinnet.engine.kernels.noise import SWEEP_ROWS
from thinnet.engine.kernels.team import shared_size
from thinnet.engine.lowered import Lowered
from thinnet.engine.program import (
    MOST_UNITS,
    Builder,
    operations_table,
    sees_a_part,
    table,
    units_of_a_task,
)
from thinnet.engine.records import GOVERNOR, INSTRUCTION, PLACES, STAGE, TASK, WORK


def address(values: Array) -> int:
    plain = values.dtype.names is None  # the quicker way is slow for tables
    return values.__array_interface__["data"][0] if plain else values.ctypes.data


class Workspace:
    """The record, and the arrays that it points to."""

    def __init__(self) -> None:
        self.record = np.zeros(1, WORK)
        self._integers = self.record.view(np.int64)  # faster to set than fields
        self._owned: dict[str, Array] = {}

    def put(self, arrays: Mapping[str, Array | None]) -> None:
        """Say where these arrays are; they are kept alive, and must not be replaced."""
        for name, values in arrays.items():
            if name in PLACES:
                self.point(name, 0 if values is None else address(values))
            if values is not None:
                self._owned[name] = values

    def point(self, name: str, place: int) -> None:
        """Say where an array is that the caller keeps alive."""
        self._integers[PLACES[name]] = place

    def set(self, **numbers: float) -> None:
        for name, value in numbers.items():
            self.record[name] = value

    def again(self) -> Workspace:
        """Another record of the same arrays."""
        other = Workspace()
        other.record[:], other._owned = self.record, dict(self._owned)
        return other

    def __getitem__(self, name: str) -> Array:
        return self._owned[name]


def workspace_of(
    lowered: Lowered,
    builder: Builder,
    vectors: Mapping[str, Array],
    outputs: Array,
    rows: int,
    n_threads: int,
) -> Workspace:
    """Everything but the data and the rounds; `vectors` are the network's and the optimiser's."""
    workspace = Workspace()
    _put_tables(workspace, lowered, rows)
    workspace.put(vectors)
    seen = any(map(sees_a_part, lowered.operations))
    workspace.put({"seen": np.zeros_like(vectors["theta"]) if seen else None, "outputs": outputs})
    workspace.put(_buffers(lowered, rows, outputs.dtype))
    workspace.put(_sides(lowered))
    _put_threads(workspace, lowered, n_threads, outputs.dtype)
    workspace.set(
        n_theta=len(vectors["theta"]),
        copied=-1,
        side_width=_widest(lowered),
        capacity=rows,
        shard_rows=rows,
        tile=1,
        clip_norm=math.inf,
    )
    put_stages(workspace, builder)
    return workspace


def _put_tables(workspace: Workspace, lowered: Lowered, capacity: int) -> None:
    sides, drawings = lowered.sides, lowered.drawings
    workspace.put(
        {
            "operations": operations_table(lowered, capacity),
            "governors": table(sides.governors, GOVERNOR),
            "maps": np.concatenate([*drawings.maps, np.zeros(0, np.int32)]),
            "widths": np.array(sides.widths, np.int64),
        }
    )
    workspace.set(n_governors=len(sides.governors), n_rates=max(len(drawings.noisy), 1))


def put_stages(workspace: Workspace, builder: Builder) -> None:
    """What is done, on the memory that there is."""
    norms = [s.last - s.first for s in builder.stages if s.kind == code.NORM]
    shared = np.zeros(shared_size(len(builder.stages)) + 1, np.int64)
    workspace.put(
        {
            "stages": table(builder.stages, STAGE),
            "instructions": table(builder.instructions, INSTRUCTION),
            "tasks": table(builder.tasks, TASK),
            "squares": np.zeros(max(norms, default=0)),
            "shared": shared,
        }
    )
    workspace.set(
        n_stages=len(builder.stages), n_squares=len(workspace["squares"]), wrong=len(shared) - 1
    )


def _widest(lowered: Lowered) -> int:
    return max(max(op.n_in, op.n_out) for op in lowered.operations)


def _buffers(lowered: Lowered, rows: int, dtype: np.dtype) -> dict[str, Array]:
    return {
        "activations": np.zeros(lowered.columns * rows, dtype),
        "slopes": np.zeros(lowered.slope_columns * rows, dtype),
        "statistics": np.zeros(lowered.statistics + lowered.row_statistics * rows, dtype),
        "row_loss": np.zeros(rows),
        "ones": np.ones(TOGETHER, np.uint8),
        "every": np.full(_widest(lowered) // 8 + 8, 0xFF, np.uint8),
    }


def _sides(lowered: Lowered) -> dict[str, Array]:
    n, width = len(lowered.sides.widths), _widest(lowered)
    everything = np.arange(width, dtype=np.int32)
    return {
        "present": np.ones(n * width + LANES, np.uint8),
        "index": np.tile(everything, (n, 1)),
        "count": np.full(n, width, np.int64),
        "chance": np.ones(n),
    }


def _put_threads(workspace: Workspace, lowered: Lowered, n_threads: int, dtype: np.dtype) -> None:
    """What each thread has for itself."""
    scratch, drawn, bits = _scratch_size(lowered), _drawn_size(lowered), _bits_size(lowered)
    workspace.put(
        {
            "scratch": np.zeros((n_threads, scratch), dtype),
            "drawn": np.zeros((n_threads, drawn)),
            "samples": np.zeros((n_threads, SWEEP_ROWS), np.uint64),
            "bits": np.zeros((n_threads, bits), np.uint8),
        }
    )
    workspace.set(scratch_size=scratch, drawn_size=drawn, bits_size=bits)


def _scratch_size(lowered: Lowered) -> int:
    """The gradient of a task's units, and a row beside it."""
    blocks = [
        min(units_of_a_task(op), op.n_out) * (op.n_in + 1)
        for op in lowered.operations
        if op.kind == code.DENSE
    ]
    losses = max(SWEEP_ROWS * (2 * NARROW + 4), 2 * lowered.operations[-1].n_out)
    return int(max([2 * MOST_UNITS, losses, *blocks]) + _widest(lowered))


def _drawn_size(lowered: Lowered) -> int:
    """Normal numbers of a row."""
    normal = (code.TIMES_NORMAL, code.PLUS_NORMAL)
    return max([1, *(op.n_drawn for op in lowered.operations if op.noise in normal)])


def _bits_size(lowered: Lowered) -> int:
    """Keep bits of the rows of a sweep and one byte more for each."""
    drawings = (*lowered.operations, *lowered.sides.governors)
    blocks = [(math.ceil(drawing.n_drawn / 8) + 1) * SWEEP_ROWS for drawing in drawings]
    inputs = [math.ceil(op.n_in / 8) + 2 for op in lowered.operations]  # of DropConnect's weights
    return -(-max(16, *blocks, *inputs) // 8) * 8 + 8
