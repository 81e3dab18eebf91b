"""What rows `low` to `high` of a round contribute to the loss, and its slope by their outputs."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Like, Thread
from thinnet.engine.kernels.losses import (
    NARROW,
    cross_entropy,
    gaussian,
    narrow_cross_entropy,
    output_losses,
)
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.noise import SWEEP_ROWS
from thinnet.engine.kernels.rows import data_number, row_at, scratch_of
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CROSS_ENTROPY, GAUSSIAN
from thinnet.engine.records import Operation, Round, Work


@part
def loss(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """Each row's share of the batch's mean loss, its slope, and the outputs they came from."""
    for first in range(low, high, SWEEP_ROWS):
        last = min(first + SWEEP_ROWS, high)
        if op.code == CROSS_ENTROPY and op.n_out <= NARROW:
            classes(op, first, last, me, now, w, like)
        else:
            any_loss(op, first, last, me, now, w, like)
        share_out(op, first, last, now, w, like)


@part
def classes(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """Cross-entropy of few classes; the targets stand where the slopes are to be."""
    z = view(w.activations, like)[op.y * w.capacity + first * op.n_out :]
    t = view(w.slopes, like)[op.dy * w.capacity + first * op.n_out :]
    labels, targets = view(w.labels, np.int64(0)), view(w.targets, 0.0)
    for r in range(last - first):
        row = data_number(now, first + r, w)
        for i in range(op.n_out):
            t[r * op.n_out + i] = 0 if w.labels else targets[row * w.n_targets + i]
        if w.labels:
            t[r * op.n_out + labels[row]] = 1
    each = view(w.row_loss, 0.0)[first:last]
    narrow_cross_entropy(z, t, op.n_out, op.a, each, scratch_of(me, w, like))


@part
def any_loss(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    if op.code == CROSS_ENTROPY or op.code == GAUSSIAN:
        for r in range(first, last):
            whole_row_loss(op, r, now, w, like)
    else:  # outputs apart from each other: all rows together, as far as there is room
        step = last - first if op.n_out <= NARROW else 1
        for r in range(first, last, step):
            real_loss(op, r, min(r + step, last), me, now, w, like)


@part
def whole_row_loss(op: Operation, r: int, now: Round, w: Work, like: Like) -> None:
    """A loss in which the outputs of a row have to do with each other."""
    row = data_number(now, r, w)
    z = row_at(view(w.activations, like), op.y, r, op.n_out, op.n_out, w)
    slope = row_at(view(w.slopes, like), op.dy, r, op.n_out, op.n_out, w)
    label = view(w.labels, np.int64(0))[row] if w.labels else -1
    target = view(w.targets, 0.0)[row * w.n_targets : (row + 1) * w.n_targets]
    if op.code == GAUSSIAN:
        view(w.row_loss, 0.0)[r] = gaussian(z, target, slope)
    else:
        view(w.row_loss, 0.0)[r] = cross_entropy(z, label, target, op.a, slope)


@part
def real_loss(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """A loss of each output by itself, the mean over those of a row."""
    n, scratch = (last - first) * op.n_out, scratch_of(me, w, like)
    t, value, targets = scratch[:n], scratch[n : 2 * n], view(w.targets, 0.0)
    for r in range(last - first):
        row = data_number(now, first + r, w)
        for i in range(op.n_out):
            t[r * op.n_out + i] = targets[row * w.n_targets + i]
    z = view(w.activations, like)[op.y * w.capacity + first * op.n_out :]
    slope = view(w.slopes, like)[op.dy * w.capacity + first * op.n_out :]
    output_losses(op.code, op.a, op.n_out, z, t, value, slope)
    each = view(w.row_loss, 0.0)
    for r in range(last - first):
        total = cast(0, like)
        for i in range(r * op.n_out, (r + 1) * op.n_out):
            total += value[i]
        each[first + r] = total / cast(op.n_out, like)


@part
def share_out(op: Operation, first: int, last: int, now: Round, w: Work, like: Like) -> None:
    """Weigh losses and slopes, and keep the outputs."""
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    outputs, each, weights = view(w.outputs, like), view(w.row_loss, 0.0), view(w.weights, 0.0)
    for r in range(first, last):
        row = data_number(now, r, w)
        z = row_at(activations, op.y, r, op.n_out, op.n_out, w)
        slope = row_at(slopes, op.dy, r, op.n_out, op.n_out, w)
        share = (weights[row] if w.weights else 1.0) / now.total
        each[r] *= share
        for i in range(op.n_out):
            slope[i] *= cast(share, like)
            outputs[row * op.n_out + i] = z[i]
