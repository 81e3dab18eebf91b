"""One compiled call: many rounds of a program, on as many threads as call it together."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels import rows as on_rows
from thinnet.engine.kernels.gradients import (
    absent_gradient,
    apply_task,
    dense_task,
    norm_task,
    squares,
)
from thinnet.engine.kernels.presence import mask_weights, prepare_side, see_dense
from thinnet.engine.kernels.team import meet, next_task, unowned
from thinnet.engine.opcodes import (
    APPLY,
    BATCH_NORM,
    DENSE,
    ELEMENTWISE,
    FORWARD,
    GATHER,
    GRADIENT,
    LAYER_NORM,
    LOSS,
    NORM,
    PREPARE,
    ROWS,
    SEE,
    SOFTMAX,
    STATISTICS,
    SUMS,
)


@kernel
def drive(me: Any, size: Any, n_rounds: Any, work: Any) -> None:
    """Member `me` of `size` takes tasks of every stage of every round as long as there are any.

    A task is cut by shape alone and no sum is shared between tasks, so it doesn't matter who does
    it.  The first round whose loss or parameters are not finite is the last.
    """
    w = unowned(work)  # type: ignore[call-arg]
    shared, stages = w.buffers.shared, w.program.stages
    wrong = shared.size - 1
    for k in range(n_rounds):
        for s in range(stages.size):
            n_tasks = count_tasks(k, stages[s], w)
            task = next_task(shared, s) if size > 1 else 0
            while task < n_tasks:
                do_task(me, k, stages[s], task, w)
                task = next_task(shared, s) if size > 1 else task + 1
            if size > 1:
                meet(shared, size, s)
        if 0 < shared[wrong] <= k + 1:  # a faster member may have found a later one
            break


@kernel
def count_tasks(k: Any, stage: Any, w: Any) -> Any:
    if stage.kind == ROWS:
        return (w.rounds.table[k].rows + w.program.shard_rows - 1) // w.program.shard_rows
    if (stage.kind == APPLY or stage.kind == NORM) and not w.rounds.table[k].finishes:
        return 0
    return stage.last - stage.first


@kernel
def do_task(me: Any, k: Any, stage: Any, task: Any, w: Any) -> None:
    if stage.kind == ROWS:
        rows_task(me, k, stage, task, w)
        return
    number = stage.first + task
    run = w.rounds.table[k]
    if stage.kind == PREPARE:
        prepare_side(
            number, w.program.widths[number], w.program.votes, w.program.maps, run.step,
            w.rounds.keys, w.rounds.limits[k], w.buffers.bits[me], w.sides,
        )  # fmt: skip
        return
    t = w.program.tasks[number]
    op = w.program.operations[t.operation]
    if stage.kind == SEE:
        see_task(me, k, op, t.low, t.high, w)
    elif stage.kind == STATISTICS:
        statistics_task(me, op, t.low, t.high, run, w)
    elif stage.kind == SUMS:
        sums_task(op, t.low, t.high, run, w)
    elif stage.kind == GRADIENT:
        gradient_task(me, k, number, op, t.low, t.high, run, w)
    elif stage.kind == APPLY:
        factor = clip_factor(w)
        note(k, apply_task(op, t.low, t.high, factor, w.program, run, w.vectors, w.sides), w)
    elif stage.kind == NORM:
        w.buffers.squares[task] = squares(op, t.low, t.high, w.vectors.gradient)


@kernel
def in_use(op: Any, low: Any, high: Any, sides: Any) -> Any:
    """Where the units `low` to `high` of a thin operation end, of those in use."""
    n = sides.count[op.side_out]
    return (min(low, n), min(high, n)) if op.thin_out else (low, high)


@kernel
def see_task(me: Any, k: Any, op: Any, low: Any, high: Any, w: Any) -> None:
    low, high = in_use(op, low, high, w.sides)
    see_dense(op, low, high, w.vectors.theta, w.sides, w.vectors.seen)
    if op.dropped:
        limit, scale = w.rounds.limits[k, op.rate], w.rounds.levels[k, op.rate, 0]
        for unit in range(low, high):
            at = op.weights + unit * op.n_in
            row = w.vectors.seen[at : at + op.n_in]
            step = w.rounds.table[k].step
            mask_weights(op, unit, step, w.rounds.keys, limit, scale, w.buffers.bits[me], row)


@kernel
def statistics_task(me: Any, op: Any, low: Any, high: Any, run: Any, w: Any) -> None:
    low, high = in_use(op, low, high, w.sides)
    norms.statistics_of(
        op, run.rows, low, high, w.program.learns, w.buffers.activations, op.x * w.program.capacity,
        w.vectors.theta, w.vectors.state, w.sides, w.buffers.statistics, w.buffers.scratch[me],
    )  # fmt: skip


@kernel
def sums_task(op: Any, low: Any, high: Any, run: Any, w: Any) -> None:
    low, high = in_use(op, low, high, w.sides)
    norms.sums_of(
        op, run.rows, low, high, w.buffers.activations, op.x * w.program.capacity,
        w.buffers.slopes, op.dy * w.program.capacity, w.buffers.statistics,
    )  # fmt: skip


@kernel
def gradient_task(
    me: Any, k: Any, number: Any, op: Any, all_low: Any, all_high: Any, run: Any, w: Any
) -> None:
    b = w.buffers
    if op.kind == LOSS:
        sum_losses(k, run, w)
        return
    low, high = in_use(op, all_low, all_high, w.sides)
    if w.program.keeps_gradient and not run.adds and op.side_out:
        absent_gradient(op, all_low, all_high, w.sides, w.vectors.gradient)
    if op.kind == DENSE:
        total = dense_task(
            k, op, low, high, w.program, run, w.rounds, w.vectors, w.sides, b.activations, b.slopes,
            w.program.capacity, b.scratch[me], b.bits[me],
        )  # fmt: skip
    else:
        total = norm_task(
            op, low, high, w.program, run, w.vectors, w.sides, b.activations, b.slopes,
            b.statistics, w.program.capacity, b.scratch[me],
        )  # fmt: skip
    note(k, total, w)


@kernel
def note(k: Any, total: Any, w: Any) -> None:
    """`total` is 0 if all is well in round k, and NaN if not."""
    if total != 0:
        w.buffers.shared[w.buffers.shared.size - 1] = k + 1


@kernel
def sum_losses(k: Any, run: Any, w: Any) -> None:
    """In the order of the rows, whoever computed them."""
    total = 0.0
    for r in range(run.rows):
        total += w.buffers.row_loss[r]
    w.rounds.table[k].loss = total
    note(k, total * 0.0, w)


@kernel
def clip_factor(w: Any) -> Any:
    """What scales the gradient back to the norm it may have."""
    if w.program.clip_norm == np.inf:
        return 1.0
    total = 0.0
    for i in range(w.buffers.squares.size):
        total += w.buffers.squares[i]
    norm = np.sqrt(total)
    return 1.0 if norm <= w.program.clip_norm else w.program.clip_norm / norm


@kernel
def rows_task(me: Any, k: Any, stage: Any, task: Any, w: Any) -> None:
    """All instructions of a stage on one shard, so that its rows stay in cache."""
    run = w.rounds.table[k]
    n_shards = count_tasks(k, stage, w)
    low, high = task * run.rows // n_shards, (task + 1) * run.rows // n_shards
    for i in range(stage.first, stage.last):
        instruction = w.program.instructions[i]
        op = w.program.operations[instruction.operation]
        if instruction.direction == FORWARD:
            forward(me, k, op, low, high, run, w)
        else:
            backward(me, k, op, low, high, run, w)


@kernel
def forward(me: Any, k: Any, op: Any, low: Any, high: Any, run: Any, w: Any) -> None:
    b, capacity = w.buffers, w.program.capacity
    if op.kind == GATHER:
        on_rows.gather(op, low, high, capacity, run, w.data, w.sides, b.activations, b.scratch[me])
    elif op.kind == DENSE:
        on_rows.dense(op, low, high, w.sides, w.vectors, b.activations, capacity)
    elif op.kind == ELEMENTWISE:
        on_rows.elementwise(
            op, low, high, k, w.program, run, w.rounds, w.data, w.sides, w.vectors, b.activations,
            capacity, b.drawn[me], b.bits[me],
        )  # fmt: skip
    elif op.kind == BATCH_NORM:
        on_rows.batch_norm(op, low, high, w.sides, b.statistics, b.activations, capacity)
    elif op.kind == LAYER_NORM:
        on_rows.layer_norm(op, low, high, w.vectors, b.statistics, b.activations, capacity)
    elif op.kind == SOFTMAX:
        on_rows.softmax_layer(op, low, high, b.activations, capacity)
    elif op.kind == LOSS:
        on_rows.loss(
            op, low, high, run, w.data, b.activations, b.slopes, capacity, b.row_loss, b.outputs
        )
    else:
        on_rows.output(op, low, high, run, b.activations, capacity, b.outputs)


@kernel
def backward(me: Any, k: Any, op: Any, low: Any, high: Any, run: Any, w: Any) -> None:
    b, capacity = w.buffers, w.program.capacity
    if op.kind == DENSE:
        on_rows.dense_backward(op, low, high, w.sides, w.vectors, b.slopes, capacity)
    elif op.kind == ELEMENTWISE:
        on_rows.elementwise_backward(
            op, low, high, k, w.program, run, w.rounds, w.data, w.sides, b.activations, b.slopes,
            capacity, b.drawn[me], b.bits[me],
        )  # fmt: skip
    elif op.kind == BATCH_NORM:
        on_rows.batch_norm_backward(
            op, low, high, run.rows, w.sides, b.statistics, b.activations, b.slopes, capacity
        )
    elif op.kind == LAYER_NORM:
        on_rows.layer_norm_backward(
            op, low, high, w.vectors, b.statistics, b.activations, b.slopes, capacity
        )
    elif op.kind == SOFTMAX:
        on_rows.softmax_backward(op, low, high, b.activations, b.slopes, capacity)
