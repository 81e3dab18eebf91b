"""Operations on rows `low` to `high` of a round, forward beside backward."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.kernels.dropout import ADD, ADD_AND_RECTIFY, apply_bits_to_rows
from thinnet.engine.kernels.elementwise import (
    activate,
    times_slope_of_input,
    times_slope_of_output,
)
from thinnet.engine.kernels.gather import data_row
from thinnet.engine.kernels.lanes import add_to_rows
from thinnet.engine.kernels.losses import (
    NARROW,
    cross_entropy,
    gaussian,
    narrow_cross_entropy,
    output_losses,
    softmax,
)
from thinnet.engine.kernels.memory import cast, size_of, view
from thinnet.engine.kernels.noise import (
    SWEEP_ROWS,
    drop_rows,
    level_of,
    limit_of,
    noise_backward,
    noise_forward,
)
from thinnet.engine.kernels.presence import index_of, n_outputs, pick
from thinnet.engine.linking import exact_part, part
from thinnet.engine.opcodes import CROSS_ENTROPY, GAUSSIAN, IDENTITY, MASK, NO_NOISE, NO_PLACE, RELU

SWEEP_NUMBERS: Final = 8192  # that stay in the first cache while they are swept over again


@part
def row_at(values: Any, column: Any, r: Any, width: Any, n: Any, w: Any) -> Any:
    """The first `n` numbers of row r of what starts at `column`."""
    start = column * w.capacity + r * width
    return values[start : start + n]


@part
def scratch_of(me: Any, w: Any, like: Any) -> Any:
    size = size_of(like)
    return view(w.scratch + me * w.scratch_size * size, like)


@part
def data_number(run: Any, r: Any, w: Any) -> Any:
    """Which row of the data is row r of the round."""
    place = run.start + r
    return view(w.order, np.int64(0))[place] if w.order else place


@part
def gather(op: Any, low: Any, high: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """Rows of the data as they come."""
    n, activations = n_outputs(op, w), view(w.activations, like)
    for r in range(low, high):
        out = row_at(activations, op.y, r, op.n_out, n, w)
        if op.thin_out:
            whole = scratch_of(me, w, like)[: op.n_out]
            data_row(data_number(run, r, w), w, whole)
            pick(whole, index_of(op.side_out, w), out)
        else:
            data_row(data_number(run, r, w), w, out)


@part
def rows_of_a_sweep(op: Any) -> Any:
    return min(max(SWEEP_NUMBERS // op.n_out, 1), SWEEP_ROWS)


@part
def elementwise(op: Any, low: Any, high: Any, k: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """Bias, activation and noise, on few rows at a time so that they stay in cache."""
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    for first in range(low, high, step):
        last = min(first + step, high)
        rows = view(w.activations, like)[op.y * w.capacity + first * op.n_out :]
        if is_plain(op, k, w):
            finish(op, first, last, n, rows, k, me, run, w)
            continue
        start_rows(op, first, last, n, w, rows)
        if op.activation != IDENTITY:
            activate_rows(op, last - first, n, rows)
        noise_forward(op, first, last, n, rows, k, me, run, w)


@part
def is_plain(op: Any, k: Any, w: Any) -> Any:
    """Bias, ReLU or nothing, dropout or nothing, in place: what one sweep can do."""
    straight = op.activation in (IDENTITY, RELU)
    masks = op.noise == NO_NOISE or (op.noise == MASK and op.map == NO_PLACE and not op.shifts)
    return straight and masks and op.bias != NO_PLACE and op.x == op.y


@part
def finish(
    op: Any, first: Any, last: Any, n: Any, rows: Any, k: Any, me: Any, run: Any, w: Any
) -> None:
    like = rows.dtype.type(0)
    values, size = w.seen if op.thin_out else w.theta, size_of(like)
    bias = np.uint64(values + op.bias * size)
    scale = level_of(op, k, 0, w, like) if op.noise == MASK else cast(1, like)
    limit = limit_of(op, k, w) if op.noise == MASK else np.uint64(0)
    what = ADD_AND_RECTIFY if op.activation == RELU else ADD
    if limit != 0 and not op.thin_out:
        drop_rows(what, op, first, last, n, bias, rows, me, run, limit, scale, w)
    else:
        every = view(w.every, np.uint8(0))
        apply_bits_to_rows(what, rows, last - first, op.n_out, n, bias, every, 0, scale)


@part
def start_rows(op: Any, first: Any, last: Any, n: Any, w: Any, rows: Any) -> None:
    """The input with its bias, where the output is to be."""
    like = rows.dtype.type(0)
    x = view(w.activations, like)[op.x * w.capacity + first * op.n_in :]
    if op.bias != NO_PLACE:
        bias = view(w.seen if op.thin_out else w.theta, like)[op.bias :]
        add_to_rows(x, last - first, op.n_in, bias, n)
    if op.x == op.y:
        return
    for r in range(last - first):
        y = rows[r * op.n_out : r * op.n_out + n]
        if op.compresses:
            pick(x[r * op.n_in :], index_of(op.side_out, w), y)
        else:
            y[:] = x[r * op.n_in : r * op.n_in + n]


@part
def activate_rows(op: Any, n_rows: Any, n: Any, rows: Any) -> None:
    if n == op.n_out:
        activate(op.activation, op.a, rows[: n_rows * n])
    else:
        for r in range(n_rows):
            activate(op.activation, op.a, rows[r * op.n_out : r * op.n_out + n])


@part
def elementwise_backward(
    op: Any, low: Any, high: Any, k: Any, me: Any, run: Any, w: Any, like: Any
) -> None:
    n, step = n_outputs(op, w), rows_of_a_sweep(op)
    # Where ReLU stands before dropout, y > 0 tells all that the mask would.
    implied = op.activation == RELU and op.noise == MASK
    for first in range(low, high, step):
        last = min(first + step, high)
        rows = view(w.slopes, like)[op.dy * w.capacity + first * op.n_out :]
        noise_backward(op, first, last, n, rows, k, me, run, implied, w)
        if op.activation != IDENTITY:
            slope_rows(op, first, last, n, k, w, rows)


@part
def slope_rows(op: Any, first: Any, last: Any, n: Any, k: Any, w: Any, rows: Any) -> None:
    """Times the derivative, from what was kept: the input or the output."""
    undo = undone(op, k, w, rows.dtype.type(0))
    column = op.x if op.by_input else op.y
    kept = view(w.activations, rows.dtype.type(0))[column * w.capacity + first * op.n_out :]
    together = n == op.n_out
    length = (last - first) * n if together else n
    for r in range(1 if together else last - first):
        dy, y = rows[r * op.n_out : r * op.n_out + length], kept[r * op.n_out :]
        if op.by_input:
            times_slope_of_input(op.activation, op.a, y, dy)
        else:
            times_slope_of_output(op.activation, op.a, y, undo, dy)


@part
def undone(op: Any, k: Any, w: Any, like: Any) -> Any:
    """What takes the scale of the dropout behind an activation back."""
    level = level_of(op, k, 0, w, like)
    one = cast(1, like)
    return one / level if op.noise == MASK and level != 0 else one


@part
def softmax_layer(op: Any, low: Any, high: Any, w: Any, like: Any) -> None:
    activations = view(w.activations, like)
    for r in range(low * op.groups, high * op.groups):
        x = row_at(activations, op.x, r, op.n_units, op.n_units, w)
        y = row_at(activations, op.y, r, op.n_units, op.n_units, w)
        softmax(x, y)


@part
def softmax_backward(op: Any, low: Any, high: Any, w: Any, like: Any) -> None:
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    for r in range(low * op.groups, high * op.groups):
        y = row_at(activations, op.y, r, op.n_units, op.n_units, w)
        dy = row_at(slopes, op.dy, r, op.n_units, op.n_units, w)
        mean = y.dtype.type(0)
        for i in range(y.size):
            mean += y[i] * dy[i]
        softmax_slopes(y, mean, dy)


@exact_part
def softmax_slopes(y: Any, mean: Any, dy: Any) -> None:
    for i in range(y.size):
        dy[i] = y[i] * (dy[i] - mean)


@part
def loss(op: Any, low: Any, high: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """Each row's share of the batch's mean loss, its slope, and the outputs they came from."""
    for first in range(low, high, SWEEP_ROWS):
        last = min(first + SWEEP_ROWS, high)
        if op.code == CROSS_ENTROPY and op.n_out <= NARROW:
            classes(op, first, last, me, run, w, like)
        else:
            any_loss(op, first, last, me, run, w, like)
        share_out(op, first, last, run, w, like)


@part
def classes(op: Any, first: Any, last: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """Cross-entropy of few classes; the targets stand where the slopes are to be."""
    z = view(w.activations, like)[op.y * w.capacity + first * op.n_out :]
    t = view(w.slopes, like)[op.dy * w.capacity + first * op.n_out :]
    labels, targets = view(w.labels, np.int64(0)), view(w.targets, 0.0)
    for r in range(last - first):
        row = data_number(run, first + r, w)
        for i in range(op.n_out):
            t[r * op.n_out + i] = 0 if w.labels else targets[row * w.n_targets + i]
        if w.labels:
            t[r * op.n_out + labels[row]] = 1
    each = view(w.row_loss, 0.0)[first:last]
    narrow_cross_entropy(z, t, op.n_out, op.a, each, scratch_of(me, w, like))


@part
def any_loss(op: Any, first: Any, last: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    if op.code == CROSS_ENTROPY or op.code == GAUSSIAN:
        for r in range(first, last):
            whole_row_loss(op, r, run, w, like)
    else:  # outputs apart from each other: all rows together, as far as there is room
        step = last - first if op.n_out <= NARROW else 1
        for r in range(first, last, step):
            real_loss(op, r, min(r + step, last), me, run, w, like)


@part
def whole_row_loss(op: Any, r: Any, run: Any, w: Any, like: Any) -> None:
    """A loss in which the outputs of a row have to do with each other."""
    row = data_number(run, r, w)
    z = row_at(view(w.activations, like), op.y, r, op.n_out, op.n_out, w)
    slope = row_at(view(w.slopes, like), op.dy, r, op.n_out, op.n_out, w)
    label = view(w.labels, np.int64(0))[row] if w.labels else -1
    target = view(w.targets, 0.0)[row * w.n_targets : (row + 1) * w.n_targets]
    if op.code == GAUSSIAN:
        view(w.row_loss, 0.0)[r] = gaussian(z, target, slope)
    else:
        view(w.row_loss, 0.0)[r] = cross_entropy(z, label, target, op.a, slope)


@part
def real_loss(op: Any, first: Any, last: Any, me: Any, run: Any, w: Any, like: Any) -> None:
    """A loss of each output by itself, the mean over those of a row."""
    n, scratch = (last - first) * op.n_out, scratch_of(me, w, like)
    t, value, targets = scratch[:n], scratch[n : 2 * n], view(w.targets, 0.0)
    for r in range(last - first):
        row = data_number(run, first + r, w)
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
def share_out(op: Any, first: Any, last: Any, run: Any, w: Any, like: Any) -> None:
    """Weigh losses and slopes, and keep the outputs."""
    activations, slopes = view(w.activations, like), view(w.slopes, like)
    outputs, each, weights = view(w.outputs, like), view(w.row_loss, 0.0), view(w.weights, 0.0)
    for r in range(first, last):
        row = data_number(run, r, w)
        z = row_at(activations, op.y, r, op.n_out, op.n_out, w)
        slope = row_at(slopes, op.dy, r, op.n_out, op.n_out, w)
        share = (weights[row] if w.weights else 1.0) / run.total
        each[r] *= share
        for i in range(op.n_out):
            slope[i] *= cast(share, like)
            outputs[row * op.n_out + i] = z[i]


@part
def output(op: Any, low: Any, high: Any, run: Any, w: Any, like: Any) -> None:
    """Copy what was asked for."""
    activations, outputs = view(w.activations, like), view(w.outputs, like)
    for r in range(low, high):
        z = row_at(activations, op.y, r, op.n_out, op.n_out, w)
        outputs[(run.out + r) * op.n_out : (run.out + r + 1) * op.n_out] = z
