"""One compiled call: many rounds of a program, on as many threads as call it together."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Like, Number, Records, Thread
from thinnet.engine.compile import kernel
from thinnet.engine.kernels import elementwise as sweeps
from thinnet.engine.kernels import (
    lookups,
    packing,
    products,
    row_losses,
    rows,
    softmax,
    sparse_products,
)
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels.copying import copy_row
from thinnet.engine.kernels.gradients import gradient_task
from thinnet.engine.kernels.kept_gradients import apply_task, squares
from thinnet.engine.kernels.memory import (
    instruction_at,
    operation_at,
    round_at,
    size_of,
    stage_at,
    task_at,
    view,
)
from thinnet.engine.kernels.presence import prepare_side
from thinnet.engine.kernels.sums import tree_sum
from thinnet.engine.kernels.team import (
    move_to,
    next_ticket,
    place_of,
    store,
    task_of,
    wait_behind,
    was_last,
)
from thinnet.engine.linking import part
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
    PACK,
    PACK_DRAWN,
    PREPARE,
    ROWS,
    SOFTMAX,
    STATISTICS,
    SUMS,
)
from thinnet.engine.records import Operation, Round, Stage, Work

COPIED: Final = 2**16  # parameters that a task copies


@kernel
def drive(me: Thread, size: int, n_rounds: int, work: Records, like: Like) -> None:
    """Member `me` of `size` takes tasks of every stage of every round as long as there are any.

    A task is cut by shape alone and no sum is shared between tasks, so it doesn't matter who does
    it, nor whether a member comes late or not at all.  The first round whose loss or parameters are
    not finite is the last.  Stage 0 copies the parameters; those of the program are counted from 1.
    """
    w = work[0]
    if size > 1:
        together(me, n_rounds, w, like)
        return
    for k in range(n_rounds):
        for s in range(w.n_stages + 1):
            n_tasks = count_tasks(k, s, w)
            for task in range(n_tasks):
                do_task(k, s, task, n_tasks, me, w, like)
        if went_wrong(k, w):
            break


@part
def together(me: Thread, n_rounds: int, w: Work, like: Like) -> None:
    """What `drive` does as one of several: who ends the last task of a place names the next.

    A place is a stage of a round, counted through all rounds.
    """
    n_stages = w.n_stages + 1
    end = n_rounds * n_stages
    ticket = next_ticket(w.shared)
    while place_of(ticket) < end:
        place, task = place_of(ticket), task_of(ticket)
        k, s = place // n_stages, place % n_stages
        n_tasks = count_tasks(k, s, w)
        if task < n_tasks:
            do_task(k, s, task, n_tasks, me, w, like)
        least = max(n_tasks, 1)  # the first place may have no task, and somebody goes on from it
        if task >= least:
            wait_behind(w.shared, place)
        elif was_last(w.shared, least):
            move_to(w.shared, place_behind(place, end, w))
        ticket = next_ticket(w.shared)


@part
def place_behind(place: int, end: int, w: Work) -> int:
    """The next place where there is something to do."""
    n_stages = w.n_stages + 1
    k, s = place // n_stages, place % n_stages
    n_tasks = 0
    while n_tasks == 0:
        place, s = place + 1, s + 1
        if s == n_stages:
            if went_wrong(k, w):
                return end
            k, s = k + 1, 0
        if place == end:
            return end
        n_tasks = count_tasks(k, s, w)
    return place


@part
def went_wrong(k: int, w: Work) -> bool:
    """Asked between rounds: was there anything in round k, the last one, that was not finite?"""
    wrong: int = view(w.shared, 0)[w.wrong]
    return 0 < wrong <= k + 1


@part
def count_tasks(k: int, s: int, w: Work) -> int:
    if s == 0:
        return (w.n_theta + COPIED - 1) // COPIED if k == w.copied else 0
    return count_stage_tasks(stage_at(w.stages, s - 1), round_at(w.rounds, k), w)


@part
def do_task(k: int, s: int, task: int, n_tasks: int, me: Thread, w: Work, like: Like) -> None:
    if s == 0:
        copy_theta(task, w, like)
    else:
        now = round_at(w.rounds, k)
        do_stage_task(stage_at(w.stages, s - 1), task, n_tasks, me, now, w, like)


@part
def copy_theta(task: int, w: Work, like: Like) -> None:
    """A part of the parameters, before anybody changes them again."""
    low, high = task * COPIED, min((task + 1) * COPIED, w.n_theta)
    copy_row(np.uint64(w.theta + low * size_of(like)), view(w.good, like)[low:high])


@part
def count_stage_tasks(stage: Stage, now: Round, w: Work) -> int:
    if stage.kind == ROWS:
        return (now.rows + w.shard_rows - 1) // w.shard_rows
    if stage.kind in (APPLY, NORM) and not now.finishes:
        return 0
    if stage.kind == PACK and not now.packs:
        return 0
    return stage.last - stage.first


@part
def do_stage_task(
    stage: Stage, task: int, n_tasks: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    if stage.kind == ROWS:
        low, high = task * now.rows // n_tasks, (task + 1) * now.rows // n_tasks
        rows_task(stage, low, high, me, now, w, like)
    elif stage.kind == PREPARE:
        prepare_side(stage.first + task, me, now, w)
    else:
        units_task(stage, task, me, now, w, like)


@part
def units_task(stage: Stage, task: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    units = task_at(w.tasks, stage.first + task)
    op = operation_at(w.operations, units.operation)
    if stage.kind in (PACK, PACK_DRAWN):
        packing.pack(op, units.low, units.high, me, now, w, rows.scratch_of(me, w, like))
    elif stage.kind == STATISTICS:
        norms.statistics_task(op, units.low, units.high, me, now, w, like)
    elif stage.kind == SUMS:
        norms.sums_task(op, units.low, units.high, me, now, w, like)
    elif stage.kind == NORM:
        squares(op, units.low, units.high, w, like)
    elif stage.kind == APPLY:
        note(apply_task(op, units.low, units.high, me, now, w, like), now, w)
    elif op.kind == LOSS:
        note(sum_losses(now, w), now, w)
    elif stage.kind == GRADIENT:
        note(gradient_task(op, units.low, units.high, me, now, w, like), now, w)


@part
def note(total: float | Number, now: Round, w: Work) -> None:
    """`total` is 0 if all is well in a round, and NaN if not."""
    if total != 0:
        store(w.shared, w.wrong, now.number + 1)


@part
def sum_losses(now: Round, w: Work) -> float:
    """Whoever computed them; 0, or NaN where the sum is not finite."""
    total = tree_sum(view(w.row_loss, 0.0)[: now.rows])
    now.loss = total
    return total * 0.0


@part
def rows_task(
    stage: Stage, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """All instructions of a stage on one shard, so that its rows stay in cache."""
    for i in range(stage.first, stage.last):
        instruction = instruction_at(w.instructions, i)
        op = operation_at(w.operations, instruction.operation)
        if instruction.direction == FORWARD:
            forward(op, low, high, me, now, w, like)
        else:
            backward(op, low, high, me, now, w, like)


@part
def forward(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    if op.lookups:
        if op.kind == DENSE:
            lookups.dense(op, low, high, w, like)
        else:
            lookups.gather(op, low, high, me, now, w, like)
    elif op.sparse:
        if op.kind == DENSE:
            sparse_products.dense(op, low, high, me, now, w, like)
    elif op.kind == GATHER:
        rows.gather(op, low, high, me, now, w, like)
    elif op.kind == DENSE:
        products.dense(op, low, high, w, like)
    elif op.kind == ELEMENTWISE:
        sweeps.elementwise(op, low, high, me, now, w, like)
    elif op.kind == BATCH_NORM:
        norms.batch_norm(op, low, high, w, like)
    elif op.kind == LAYER_NORM:
        norms.layer_norm(op, low, high, w, like)
    elif op.kind == SOFTMAX:
        softmax.softmax_layer(op, low, high, w, like)
    elif op.kind == LOSS:
        row_losses.loss(op, low, high, me, now, w, like)
    else:
        rows.output(op, low, high, now, w, like)


@part
def backward(
    op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    if op.kind == DENSE:
        products.dense_backward(op, low, high, w, like)
    elif op.kind == ELEMENTWISE:
        sweeps.elementwise_backward(op, low, high, me, now, w, like)
    elif op.kind == BATCH_NORM:
        norms.batch_norm_backward(op, low, high, now, w, like)
    elif op.kind == LAYER_NORM:
        norms.layer_norm_backward(op, low, high, me, w, like)
    elif op.kind == SOFTMAX:
        softmax.softmax_backward(op, low, high, w, like)
