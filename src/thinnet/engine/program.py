"""A program: operations with their places, stages, tasks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.lowered import Lowered, padded, stride_of
from thinnet.engine.records import OPERATION, Instruction, Operation, Record, Stage, Task

# A layer is cut into tasks of whole vectors of units: several, so that threads end together, but no
# smaller than they are worth, and no larger than stays in cache.
TASKS: Final = 8
TASK_WEIGHTS: Final = 8192
TASK_UNITS: Final = 64
LOOKUP_UNITS: Final = 32  # vectors enough for the price of reading a term


def n_units(operation: Operation) -> int:
    return operation.n_units or operation.n_out


def units_of_a_task(operation: Operation) -> int:
    if operation.lookups:
        return min(padded(n_units(operation)), LOOKUP_UNITS)
    least = TASK_WEIGHTS / max(operation.n_in, 1)
    return min(padded(math.ceil(max(n_units(operation) / TASKS, least))), TASK_UNITS)


LEARNED = (code.DENSE, code.BATCH_NORM, code.LAYER_NORM)  # kinds with parameters


class Builder:
    """Collects stages, with the instructions or tasks of each."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self.stages: list[Stage] = []
        self.instructions: list[Instruction] = []
        self.tasks: list[Task] = []
        self._closed = 0  # instructions that belong to a stage

    def instruct(self, i: int, direction: int) -> None:
        self.instructions.append(Instruction(i, direction))

    def close_rows(self) -> None:
        """What has been instructed becomes a stage over rows."""
        if self._closed < len(self.instructions):
            self.stages.append(Stage(code.ROWS, self._closed, len(self.instructions)))
        self._closed = len(self.instructions)

    def over_units(self, kind: int, which: Iterable[int], *others: Task) -> tuple[int, int]:
        """A stage of blocks of some operations' units, and of other tasks; which are blocks."""
        self.close_rows()
        first = len(self.tasks)
        for i in which:
            n, step = n_units(self.operations[i]), units_of_a_task(self.operations[i])
            self.tasks += [Task(i, low, min(low + step, n)) for low in range(0, n, step)]
        last = len(self.tasks)
        self.tasks += others
        if first < len(self.tasks):
            self.stages.append(Stage(kind, first, len(self.tasks)))
        return first, last

    def indices(self, *kinds: int) -> list[int]:
        return [i for i, op in enumerate(self.operations) if op.kind in kinds]


def is_drawn(op: Operation) -> bool:
    """Are the weights other ones in every round?"""
    return bool(op.thin_in or op.thin_out or op.dropped)


def prepare_sides(builder: Builder, lowered: Lowered) -> None:
    n_sides = len(lowered.sides.widths)
    if n_sides > 1:
        builder.stages.append(Stage(code.PREPARE, 1, n_sides))


def pack(builder: Builder, which: Sequence[int]) -> None:
    """Lay down the weights of some operations as products read them."""
    dense = [i for i in builder.indices(code.DENSE) if i in which]
    drawn = [i for i in dense if is_drawn(builder.operations[i])]
    builder.over_units(code.PACK, [i for i in dense if i not in drawn])
    builder.over_units(code.PACK_DRAWN, drawn)


def go_forward(builder: Builder, which: Iterable[int], learns: bool) -> None:
    for i in which:
        if learns and builder.operations[i].kind == code.BATCH_NORM:
            builder.over_units(code.STATISTICS, [i])
        builder.instruct(i, code.FORWARD)


def go_backward(builder: Builder) -> None:
    """From the loss to the first operation that has parameters."""
    first = min(builder.indices(*LEARNED), default=len(builder.operations))
    for i in range(len(builder.operations) - 1, first - 1, -1):
        op = builder.operations[i]
        if op.kind == code.BATCH_NORM:
            builder.over_units(code.SUMS, [i])
        if op.kind != code.LOSS and i > first:
            builder.instruct(i, code.BACKWARD)
    builder.close_rows()


def place_slopes(lowered: Lowered) -> None:
    """Where the gradient of each operation's output and input lies; most work in place."""
    operations = lowered.operations
    first = min((i for i, op in enumerate(operations) if op.kind in LEARNED), default=0)
    column = lowered.slope_columns = 0
    lowered.slope_columns += stride_of(operations[-1].n_out)
    for i in range(len(operations) - 1, -1, -1):
        op = operations[i]
        op.dy = op.dx = column
        if op.kind in (code.DENSE, code.LAYER_NORM):
            column = op.dx = lowered.slope_columns if i > first else code.NO_PLACE
            lowered.slope_columns += stride_of(op.n_in) if i > first else 0
        if column == code.NO_PLACE:
            break


def training_stages(lowered: Lowered, keeps_gradient: bool, clips: bool) -> Builder:
    builder = Builder(lowered.operations)
    which = range(len(lowered.operations))
    prepare_sides(builder, lowered)
    pack(builder, which)
    go_forward(builder, which, learns=True)
    go_backward(builder)
    sum_of_loss = Task(builder.indices(code.LOSS)[0], 0, 0)
    tasks = builder.over_units(code.GRADIENT, builder.indices(*LEARNED), sum_of_loss)
    if clips:
        builder.stages.append(Stage(code.NORM, *tasks))
    if keeps_gradient:
        builder.stages.append(Stage(code.APPLY, *tasks))
    return builder


def forward_stages(lowered: Lowered, first: int, last: int) -> Builder:
    """The operations `first` to `last` of a pass that does not learn."""
    builder = Builder(lowered.operations)
    which = range(first, last)
    if first or not lowered.first_noise:
        prepare_sides(builder, lowered)
    pack(builder, which)
    norms = [i for i in builder.indices(code.BATCH_NORM) if i in which]
    builder.over_units(code.STATISTICS, norms)
    go_forward(builder, which, learns=False)
    builder.close_rows()
    return builder


def place_panels(lowered: Lowered) -> int:
    """Where the weights of each product lie as it reads them; how many numbers these are."""
    end = 0
    for op in lowered.operations:
        if op.kind == code.DENSE:
            size = padded(op.n_terms or op.n_in) * padded(op.n_out)
            op.forward_panels, end = end, end + size
            if lowered.slope_columns and op.dx != code.NO_PLACE:
                op.backward_panels, end = end, end + size
    return end


def place_squares(lowered: Lowered) -> int:
    """Where the squares of each operation's gradient stand; how many rows that has in all."""
    end = 0
    for op in lowered.operations:
        if op.kind in LEARNED:
            op.squares = end
            end += op.n_out + 1 if op.kind == code.DENSE else 2
    return end


def operations_table(lowered: Lowered, capacity: int) -> Array:
    """With the numbers of normalisations by row behind those by unit."""
    for op in lowered.operations:
        op.stride_in, op.stride_out = stride_of(op.n_in), stride_of(op.n_out)
        op.n_terms = op.n_terms or op.n_in
    rows = [
        dataclasses.replace(op, statistics=lowered.statistics + op.statistics * capacity)
        if op.kind == code.LAYER_NORM
        else op
        for op in lowered.operations
    ]
    return table(rows, OPERATION)


def table(rows: Sequence[Record], dtype: np.dtype) -> Array:
    return np.array([dataclasses.astuple(row) for row in rows], dtype)
