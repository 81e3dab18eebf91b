"""Operations on rows `low` to `high` of a round, forward beside backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels import products
from thinnet.engine.kernels.elementwise import (
    activate,
    add_bias,
    times_slope_of_input,
    times_slope_of_output,
)
from thinnet.engine.kernels.gather import data_row
from thinnet.engine.kernels.losses import loss_of_row, softmax
from thinnet.engine.kernels.noise import (
    NOBODY,
    draw_mask,
    noise_backward,
    noise_forward,
)
from thinnet.engine.opcodes import IDENTITY, MASK, NOWHERE, RELU, SILENT


@kernel
def n_inputs(op: Any, sides: Any) -> Any:
    return sides.count[op.side_in] if op.thin_in else op.n_in


@kernel
def n_outputs(op: Any, sides: Any) -> Any:
    return sides.count[op.side_out] if op.thin_out else op.n_out


@kernel
def row_of(values: Any, column: Any, capacity: Any, width: Any, r: Any, n: Any) -> Any:
    """The first `n` numbers of row r of what starts at `column`."""
    start = column * capacity + r * width
    return values[start : start + n]


@kernel
def gather(
    op: Any,
    low: Any,
    high: Any,
    capacity: Any,
    run: Any,
    data: Any,
    sides: Any,
    activations: Any,
    scratch: Any,
) -> None:
    """Rows of the data as they come; zeros where a round is padded."""
    n = n_outputs(op, sides)
    for r in range(low, high):
        out = row_of(activations, op.y, capacity, op.n_out, r, n)
        if run.start + r >= run.stop:
            out[:] = 0
            continue
        row = data.order[run.start + r] if data.order.size else run.start + r
        if op.thin_out:
            whole = scratch[: op.n_out]
            data_row(data.source, data.starts, row, whole)
            pick(whole, sides.index[op.side_out], out)
        else:
            data_row(data.source, data.starts, row, out)


@kernel
def pick(row: Any, index: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = row[index[i]]


@kernel
def sample_id(op: Any, run: Any, r: Any, data: Any) -> Any:
    """Which row's mask row r of the round gets; padding gets any."""
    place = run.start + r
    if op.shared or place >= run.stop:
        return NOBODY
    row = data.order[place] if data.order.size else place
    return np.uint64(data.ids[row])


@kernel
def shared_mask(op: Any, thin: Any, run: Any, rounds: Any, limit: Any, bits: Any) -> None:
    """Draw the mask that all rows share, once."""
    if op.noise == MASK and op.shared and not thin and limit != 0:
        draw_mask(op.n_drawn, rounds.keys, op.stream, run.step, NOBODY, limit, bits)


@kernel
def elementwise(
    op: Any,
    low: Any,
    high: Any,
    k: Any,
    program: Any,
    run: Any,
    rounds: Any,
    data: Any,
    sides: Any,
    vectors: Any,
    activations: Any,
    capacity: Any,
    drawn: Any,
    bits: Any,
) -> None:
    """Bias, activation and noise of each row while it is in cache."""
    n = n_outputs(op, sides)
    b = (vectors.seen if op.thin_out else vectors.theta)[max(op.bias, 0) : max(op.bias, 0) + n]
    limit, levels = rounds.limits[k, op.rate], rounds.levels[k, op.rate]
    shared_mask(op, op.thin_out, run, rounds, limit, bits)
    for r in range(low, high):
        row = row_of(activations, op.y, capacity, op.n_out, r, n)
        if op.compresses:
            pick(
                row_of(activations, op.x, capacity, op.n_in, r, op.n_in),
                sides.index[op.side_out],
                row,
            )
        elif op.x != op.y:
            x = row_of(activations, op.x, capacity, op.n_in, r, n)
            if op.bias != NOWHERE:
                add_bias(x, b)
            row[:] = x
        elif op.bias != NOWHERE:
            add_bias(row, b)
        if op.activation != IDENTITY:
            activate(op.activation, op.a, row)
        if op.noise != SILENT:
            sample = sample_id(op, run, r, data)
            noise_forward(
                op,
                op.thin_out,
                rounds.keys,
                run.step,
                sample,
                limit,
                levels,
                program.maps,
                bits,
                drawn,
                row,
            )


@kernel
def elementwise_backward(
    op: Any,
    low: Any,
    high: Any,
    k: Any,
    program: Any,
    run: Any,
    rounds: Any,
    data: Any,
    sides: Any,
    activations: Any,
    slopes: Any,
    capacity: Any,
    drawn: Any,
    bits: Any,
) -> None:
    n = n_outputs(op, sides)
    limit, levels = rounds.limits[k, op.rate], rounds.levels[k, op.rate]
    # Where ReLU stands before dropout, y > 0 tells all that the mask would.
    told = op.activation == RELU and op.noise == MASK
    masked = op.noise == MASK
    undo = levels[0] if masked and levels[0] != 0 else levels.dtype.type(1)
    undo = levels.dtype.type(1) / undo
    shared_mask(op, op.thin_out or told, run, rounds, limit, bits)
    for r in range(low, high):
        dy = row_of(slopes, op.dy, capacity, op.n_out, r, n)
        y = row_of(activations, op.x if op.by_input else op.y, capacity, op.n_out, r, n)
        if op.noise != SILENT:
            sample = sample_id(op, run, r, data)
            noise_backward(
                op,
                op.thin_out or told,
                rounds.keys,
                run.step,
                sample,
                limit,
                levels,
                program.maps,
                bits,
                drawn,
                dy,
            )
        if op.activation == IDENTITY:
            continue
        if op.by_input:
            times_slope_of_input(op.activation, op.a, y, dy)
        else:
            times_slope_of_output(op.activation, op.a, y, undo, dy)


@kernel
def dense(
    op: Any, low: Any, high: Any, sides: Any, vectors: Any, activations: Any, capacity: Any
) -> None:
    w = vectors.seen if op.thin_in or op.thin_out or op.dropped else vectors.theta
    products.forward(
        high - low, n_inputs(op, sides), n_outputs(op, sides),
        activations, op.x * capacity + low * op.n_in, op.n_in, w, op.weights, op.n_in,
        activations, op.y * capacity + low * op.n_out, op.n_out,
    )  # fmt: skip


@kernel
def dense_backward(
    op: Any, low: Any, high: Any, sides: Any, vectors: Any, slopes: Any, capacity: Any
) -> None:
    if op.dx == NOWHERE:
        return
    w = vectors.seen if op.thin_in or op.thin_out or op.dropped else vectors.theta
    products.backward(
        high - low, n_inputs(op, sides), n_outputs(op, sides),
        slopes, op.dy * capacity + low * op.n_out, op.n_out, w, op.weights, op.n_in,
        slopes, op.dx * capacity + low * op.n_in, op.n_in,
    )  # fmt: skip


@kernel
def batch_norm(
    op: Any, low: Any, high: Any, sides: Any, statistics: Any, activations: Any, capacity: Any
) -> None:
    n = sides.count[op.side_out] if op.thin_out else op.n_units
    for r in range(low * op.groups, high * op.groups):
        x = row_of(activations, op.x, capacity, op.n_units, r, n)
        norms.normalise(op, n, statistics, x, row_of(activations, op.y, capacity, op.n_units, r, n))


@kernel
def batch_norm_backward(
    op: Any,
    low: Any,
    high: Any,
    rows: Any,
    sides: Any,
    statistics: Any,
    activations: Any,
    slopes: Any,
    capacity: Any,
) -> None:
    n = sides.count[op.side_out] if op.thin_out else op.n_units
    for r in range(low * op.groups, high * op.groups):
        x = row_of(activations, op.x, capacity, op.n_units, r, n)
        dy = row_of(slopes, op.dy, capacity, op.n_units, r, n)
        norms.normalise_backward(op, n, rows * op.groups, statistics, x, dy)


@kernel
def layer_norm(
    op: Any, low: Any, high: Any, vectors: Any, statistics: Any, activations: Any, capacity: Any
) -> None:
    gamma = vectors.theta[op.weights : op.weights + op.n_out]
    beta = vectors.theta[op.bias : op.bias + op.n_out]
    for r in range(low, high):
        x = row_of(activations, op.x, capacity, op.n_in, r, op.n_in)
        mean, inverse = norms.row_moments(op.epsilon, x)
        statistics[op.statistics + r], statistics[op.statistics + capacity + r] = mean, inverse
        y = row_of(activations, op.y, capacity, op.n_out, r, op.n_out)
        norms.layer_norm(mean, inverse, gamma, beta, x, y)


@kernel
def layer_norm_backward(
    op: Any,
    low: Any,
    high: Any,
    vectors: Any,
    statistics: Any,
    activations: Any,
    slopes: Any,
    capacity: Any,
) -> None:
    if op.dx == NOWHERE:
        return
    gamma = vectors.theta[op.weights : op.weights + op.n_out]
    for r in range(low, high):
        x = row_of(activations, op.x, capacity, op.n_in, r, op.n_in)
        mean, inverse = statistics[op.statistics + r], statistics[op.statistics + capacity + r]
        dy = row_of(slopes, op.dy, capacity, op.n_out, r, op.n_out)
        dx = row_of(slopes, op.dx, capacity, op.n_in, r, op.n_in)
        norms.layer_norm_backward(mean, inverse, gamma, x, dy, dx)


@kernel
def softmax_layer(op: Any, low: Any, high: Any, activations: Any, capacity: Any) -> None:
    for r in range(low * op.groups, high * op.groups):
        row = row_of(activations, op.y, capacity, op.n_units, r, op.n_units)
        softmax(row, row)


@kernel
def softmax_backward(
    op: Any, low: Any, high: Any, activations: Any, slopes: Any, capacity: Any
) -> None:
    for r in range(low * op.groups, high * op.groups):
        y = row_of(activations, op.y, capacity, op.n_units, r, op.n_units)
        dy = row_of(slopes, op.dy, capacity, op.n_units, r, op.n_units)
        mean = y.dtype.type(0)
        for i in range(y.size):
            mean += y[i] * dy[i]
        for i in range(y.size):
            dy[i] = y[i] * (dy[i] - mean)


@kernel
def loss(
    op: Any,
    low: Any,
    high: Any,
    run: Any,
    data: Any,
    activations: Any,
    slopes: Any,
    capacity: Any,
    row_loss: Any,
    outputs: Any,
) -> None:
    """The share of each row in the batch's mean loss, its slope, and the outputs it came from."""
    for r in range(low, high):
        row = data.order[run.start + r]
        z = row_of(activations, op.y, capacity, op.n_out, r, op.n_out)
        slope = row_of(slopes, op.dy, capacity, op.n_out, r, op.n_out)
        label = data.labels[row] if data.labels.size else -1
        each = loss_of_row(op.code, op.a, z, label, data.targets[row], slope)
        share = (data.weights[row] if data.weights.size else 1.0) / run.total
        row_loss[r] = share * each
        for i in range(z.size):
            slope[i] *= slope.dtype.type(share)
            outputs[row, i] = z[i]


@kernel
def output(
    op: Any, low: Any, high: Any, run: Any, activations: Any, capacity: Any, outputs: Any
) -> None:
    for r in range(low, min(high, run.stop - run.start)):
        z = row_of(activations, op.y, capacity, op.n_out, r, op.n_out)
        out = outputs[run.out + r]
        for i in range(z.size):
            out[i] = z[i]
