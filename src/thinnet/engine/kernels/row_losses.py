"""What rows `low` to `high` of a round contribute to the loss, and its slope by their outputs."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Like, Numbers, Thread
from thinnet.engine.kernels.losses import (
    NARROW,
    cross_entropy,
    gaussian,
    narrow_cross_entropy,
    output_losses,
    pinball,
)
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.noise import SWEEP_ROWS
from thinnet.engine.kernels.rows import data_number, row_at, scratch_of
from thinnet.engine.kernels.sums import lane_sum
from thinnet.engine.linking import part
from thinnet.engine.opcodes import CROSS_ENTROPY, GAUSSIAN, PINBALL
from thinnet.engine.records import Operation, Round, Work


@part
def loss(op: Operation, low: int, high: int, me: Thread, now: Round, w: Work, like: Like) -> None:
    """Each row's share of the batch's mean loss, its slope, and the outputs they came from."""
    for first in range(low, high, SWEEP_ROWS):
        last = min(first + SWEEP_ROWS, high)
        if op.code == CROSS_ENTROPY:
            classes(op, first, last, me, now, w, like)
        elif op.code == GAUSSIAN:
            gaussian_rows(op, first, last, me, now, w, like)
        else:  # outputs apart from each other: all rows together, as far as there is room
            step = last - first if op.n_out <= NARROW else 1
            for start in range(first, last, step):
                real_loss(op, start, min(start + step, last), me, now, w, like)
        share_out(op, first, last, now, w, like)


@part
def put_classes(op: Operation, first: int, last: int, now: Round, w: Work, t: Numbers) -> None:
    """The targets as numbers of the classes, where the slopes are to be."""
    labels, targets = view(w.labels, np.int64(0)), view(w.targets, 0.0)
    for r in range(first, last):
        row, start = data_number(now, r, w), (r - first) * op.stride_out
        for i in range(op.n_out):
            t[start + i] = 0 if w.labels else targets[row * w.n_targets + i]
        if w.labels:
            t[start + labels[row]] = 1


@part
def classes(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """Cross-entropy, of few classes many rows at a time."""
    each, spare = view(w.row_loss, 0.0), scratch_of(me, w, like)
    z = view(w.activations, like)[op.y * w.capacity + first * op.stride_out :]
    t = view(w.slopes, like)[op.dy * w.capacity + first * op.stride_out :]
    put_classes(op, first, last, now, w, t)
    if op.n_out <= NARROW:
        narrow_cross_entropy(z, t, op.n_out, op.stride_out, op.a, each[first:last], spare)
        return
    for r in range(first, last):
        ahead = (r - first) * op.stride_out
        row, slope = z[ahead : ahead + op.n_out], t[ahead : ahead + op.n_out]
        each[r] = cross_entropy(row, slope, op.a, spare)


@part
def gaussian_rows(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """The likelihood of normal numbers."""
    targets, spare = view(w.targets, 0.0), scratch_of(me, w, like)
    for r in range(first, last):
        row = data_number(now, r, w)
        z = row_at(view(w.activations, like), op.y, r, op.stride_out, op.n_out, w)
        slope = row_at(view(w.slopes, like), op.dy, r, op.stride_out, op.n_out, w)
        target = targets[row * w.n_targets : (row + 1) * w.n_targets]
        view(w.row_loss, 0.0)[r] = gaussian(z, target, slope, spare)


@part
def real_loss(
    op: Operation, first: int, last: int, me: Thread, now: Round, w: Work, like: Like
) -> None:
    """A loss of each output by itself, the mean over those of a row."""
    n, size, each = op.n_out, (last - first) * op.n_out, view(w.row_loss, 0.0)
    scratch, targets = scratch_of(me, w, like), view(w.targets, 0.0)
    z, t = scratch[:size], scratch[size : 2 * size]
    value, slope = scratch[2 * size : 3 * size], scratch[3 * size : 4 * size]
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    for r in range(first, last):
        at, row = (r - first) * n, data_number(now, r, w)
        here = op.y * w.capacity + r * op.stride_out
        for i in range(n):
            z[at + i], t[at + i] = activations[here + i], targets[row * w.n_targets + i]
    if op.code == PINBALL:
        pinball(view(w.quantiles, 0.0), n, z, t, value, slope)
    else:
        output_losses(op.code, op.a, n, z, t, value, slope)
    for r in range(first, last):
        at, here = (r - first) * n, op.dy * w.capacity + r * op.stride_out
        for i in range(n):
            slopes[here + i] = slope[at + i]
        # A sum of one number is that number; a negative zero becomes a positive one.
        total = lane_sum(value[at : at + n]) if n > 1 else value[at] + cast(0, like)
        each[r] = total / cast(n, like)


@part
def share_out(op: Operation, first: int, last: int, now: Round, w: Work, like: Like) -> None:
    """Weigh losses and slopes, and keep the outputs."""
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    outputs, each, weights = view(w.outputs, like), view(w.row_loss, 0.0), view(w.weights, 0.0)
    n, weight = op.n_out, 1.0 / now.total
    for r in range(first, last):
        row, ahead = data_number(now, r, w), r * op.stride_out
        z, slope = op.y * w.capacity + ahead, op.dy * w.capacity + ahead
        if w.weights:
            weight = weights[row] / now.total
        each[r] *= weight
        for i in range(n):
            slopes[slope + i] *= cast(weight, like)
            outputs[row * n + i] = activations[z + i]
