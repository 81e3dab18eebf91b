"""The memory of a program: made once when a network is bound to a number of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.arrays import Array
from thinnet.engine import lookups
from thinnet.engine import opcodes as code
from thinnet.engine.kernels.gradients import TOGETHER
from thinnet.engine.kernels.keep_bits import UNITS
from thinnet.engine.kernels.lanes import LANES
from thinnet.engine.kernels.losses import NARROW
from thinnet.engine.kernels.noise import SWEEP_ROWS
from thinnet.engine.kernels.presence import TERMS_OF_A_BLOCK
from thinnet.engine.kernels.products import MANY_ROWS
from thinnet.engine.kernels.sparse_gradients import NODE, cursors_size
from thinnet.engine.kernels.team import SHARED_SIZE
from thinnet.engine.kernels.tiles import VECTOR_BYTES, VECTORS
from thinnet.engine.lowered import VECTOR, Lowered, padded, stride_of
from thinnet.engine.program import (
    TASK_UNITS,
    Builder,
    operations_table,
    place_panels,
    place_squares,
    table,
)
from thinnet.engine.records import GOVERNOR, INSTRUCTION, PLACES, STAGE, TASK, WORK

MOST_IN_A_PANEL = VECTORS * VECTOR  # numbers of a row


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

    def lay(self, name: str, values: Array) -> None:
        """`put` of one plain array that the record has a place for."""
        self._integers[PLACES[name]] = address(values)
        self._owned[name] = values

    def forget(self, name: str) -> None:
        """Hold the array no longer, nor know where it is."""
        self._owned.pop(name, None)
        if name in PLACES:
            self.point(name, 0)

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
    panels, n_squares = aligned(place_panels(lowered), outputs.dtype), place_squares(lowered)
    _put_tables(workspace, lowered, rows)
    workspace.put(vectors)
    thin = any(op.thin_out for op in lowered.operations)
    workspace.put({"seen": np.zeros_like(vectors["theta"]) if thin else None, "outputs": outputs})
    workspace.put({"panels": panels, "squares": np.zeros(n_squares)})
    workspace.put(_buffers(lowered, rows, outputs.dtype))
    _put_lookups(workspace, lowered, rows, outputs.dtype)
    workspace.put(_sides(lowered))
    _put_threads(workspace, lowered, rows, n_threads, outputs.dtype)
    workspace.set(
        n_theta=len(vectors["theta"]),
        copied=-1,
        side_width=_widest(lowered),
        capacity=rows,
        shard_rows=rows,
        n_cuts=_n_cuts(lowered),
        n_squares=n_squares,
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
    shared = np.zeros(SHARED_SIZE + 1, np.int64)
    workspace.put(
        {
            "stages": table(builder.stages, STAGE),
            "instructions": table(builder.instructions, INSTRUCTION),
            "tasks": table(builder.tasks, TASK),
            "shared": shared,
        }
    )
    workspace.set(n_stages=len(builder.stages), wrong=len(shared) - 1)


def _widest(lowered: Lowered) -> int:
    return max(max(op.n_in, op.n_out) for op in lowered.operations)


def _buffers(lowered: Lowered, rows: int, dtype: np.dtype) -> dict[str, Array | None]:
    return {
        "activations": aligned(lowered.columns * rows, dtype),
        "slopes": aligned(lowered.slope_columns * rows, dtype),
        "statistics": np.zeros(lowered.statistics + lowered.row_statistics * rows, dtype),
        "row_loss": np.zeros(rows),
        "ones": np.ones(TOGETHER, np.uint8),
        "every": np.full(_widest(lowered) // 8 + 8, 0xFF, np.uint8),
        "kept": _kept(lowered, rows),
    }


def _put_lookups(workspace: Workspace, lowered: Lowered, rows: int, dtype: np.dtype) -> None:
    """What is known of the columns of a table, and room for the terms of its rows."""
    most = lookups.most_terms(lowered.encodings)
    workspace.put(
        {
            "slots": lookups.table_of(lowered.encodings) if most else None,
            "means": lookups.means_of(lowered.encodings, dtype) if most else None,
            "terms": np.zeros((rows, most), np.int32),
            "factors": np.zeros((rows, most), dtype),
            "row_terms": np.zeros(rows, np.int64),
        }
    )
    workspace.set(most_terms=most)


def _kept(lowered: Lowered, rows: int) -> Array | None:
    """Room for the mask in front of sparse rows, where a way back will ask for it."""
    gather = lowered.operations[0]
    if gather.lookups or not (
        gather.sparse and gather.noise != code.NO_NOISE and lowered.slope_columns
    ):
        return None
    return np.zeros((rows, math.ceil(gather.n_in / UNITS)), np.uint64)


def _sides(lowered: Lowered) -> dict[str, Array]:
    n, width = len(lowered.sides.widths), _widest(lowered)
    everything = np.arange(width, dtype=np.int32)
    return {
        "present": np.ones(n * width + LANES, np.uint8),
        "index": np.tile(everything, (n, 1)),
        "count": np.full(n, width, np.int64),
        "chance": np.ones(n),
        "cuts": np.zeros((n, _n_cuts(lowered)), np.int64),
    }


def _put_threads(
    workspace: Workspace, lowered: Lowered, rows: int, n_threads: int, dtype: np.dtype
) -> None:
    """What each thread has for itself."""
    scratch = _scratch_size(lowered, rows)
    drawn, bits = _drawn_size(lowered), _bits_size(lowered)
    workspace.put(
        {
            "scratch": aligned(n_threads * scratch, dtype),
            "drawn": np.zeros((n_threads, drawn)),
            "samples": np.zeros((n_threads, SWEEP_ROWS), np.uint64),
            "bits": np.zeros((n_threads, bits), np.uint8),
        }
    )
    workspace.set(scratch_size=scratch, drawn_size=drawn, bits_size=bits)


def _scratch_size(lowered: Lowered, rows: int) -> int:
    """The gradient of a task's units, some of their weights and slopes, nodes of a tree, a row."""
    dense = [op for op in lowered.operations if op.kind == code.DENSE]
    units = LANES + (TASK_UNITS if lowered.slope_columns else 0)
    blocks = [units * (stride_of(op.n_in) + 1) for op in dense]
    widest_loss = max(4 * NARROW, 2 * NARROW + LANES + 2)
    losses = max(SWEEP_ROWS * widest_loss, 4 * lowered.operations[-1].n_out)
    positions = max([1, *(op.groups for op in lowered.operations)])
    depth = math.ceil(rows * positions / ROWS_OF_A_LEAF).bit_length() + 1
    nodes = depth * TASK_UNITS * MOST_IN_A_PANEL
    if lowered.operations[0].sparse:
        nodes = max(nodes, depth * NODE + cursors_size(rows))
    if lowered.encodings:
        nodes += _lookups_size(lowered, depth)
    slopes = min(rows, MANY_ROWS) * TASK_UNITS if lowered.slope_columns else 0
    return padded(max([2 * TASK_UNITS, losses, *blocks]) + nodes + slopes + _widest(lowered))


def _lookups_size(lowered: Lowered, depth: int) -> int:
    """Weights turned; on the way back gradients of inputs, those above, and nodes of a slot."""
    inputs = padded(sum(each.inputs for each in lowered.encodings))
    if not lowered.slope_columns:
        return LANES * inputs
    node = lookups.most_of_a_slot(lowered.encodings) * TASK_UNITS
    return LANES * inputs + (inputs + 1) * TASK_UNITS + depth * node


def _n_cuts(lowered: Lowered) -> int:
    return math.ceil(_widest(lowered) / TERMS_OF_A_BLOCK)


def aligned(n: int, dtype: np.dtype) -> Array:
    """Zeros at a multiple of 64 bytes: a third of the products' speed is lost otherwise."""
    raw = np.zeros(n * dtype.itemsize + VECTOR_BYTES, np.uint8)
    start = -raw.ctypes.data % VECTOR_BYTES
    return raw[start : start + n * dtype.itemsize].view(dtype)


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
