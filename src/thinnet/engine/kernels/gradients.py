"""From the slopes of a round to new parameters: a task is some units of one operation.

The gradient of a task's units is computed, penalised and used while it is in cache, without ever
being written; where the whole gradient is wanted (clipping, micro-batches, callbacks after a step)
it is written first, and a second stage uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels import normalisation as norms
from thinnet.engine.kernels import products
from thinnet.engine.kernels.optimisers import (
    corrections,
    limit_norm,
    not_finite,
    penalise,
    update,
)
from thinnet.engine.kernels.presence import mask_weights
from thinnet.engine.kernels.rows import n_inputs
from thinnet.engine.opcodes import BATCH_NORM, DENSE


@kernel
def cut(values: Any, at: Any, n: Any) -> Any:
    """`n` of the values from `at` on; of an optimiser without this state, nothing."""
    return values[at : at + n] if values.size else values


@kernel
def settle(
    program: Any,
    run: Any,
    vectors: Any,
    at: Any,
    present: Any,
    corrected: Any,
    l1: Any,
    l2: Any,
    most: Any,
    g: Any,
) -> Any:
    """What becomes of `g`, the gradient of the parameters from `at` on; NaN if that is not finite."""
    w = vectors.theta[at : at + g.size]
    if run.finishes:
        penalise(w, l1, l2, g)
    if program.keeps_gradient:
        keep(vectors.gradient[at : at + g.size], present, run.adds, g)
        return g.dtype.type(0)
    return move(program, run, vectors, at, present, corrected, most, g)


@kernel
def keep(kept: Any, present: Any, adds: Any, g: Any) -> None:
    for i in range(g.size):
        new = g[i] if present[i] else g.dtype.type(0)
        kept[i] = kept[i] + new if adds else new


@kernel
def move(
    program: Any, run: Any, vectors: Any, at: Any, present: Any, corrected: Any, most: Any, g: Any
) -> Any:
    w = vectors.theta[at : at + g.size]
    first, second = cut(vectors.first, at, g.size), cut(vectors.second, at, g.size)
    update(
        program.optimiser,
        program.settings,
        run.learning_rate,
        corrected,
        present,
        w,
        g,
        first,
        second,
    )
    if most < np.inf:
        limit_norm(w, most)
    return not_finite(w)


@kernel
def corrected_by(program: Any, run: Any, chance: Any) -> Any:
    """By the steps that what exists with probability `chance` has been through, this one included."""
    return corrections(program.optimiser, program.settings, 1 + run.count * chance)


@kernel
def settle_units(
    op: Any,
    at: Any,
    low: Any,
    high: Any,
    program: Any,
    run: Any,
    vectors: Any,
    sides: Any,
    l1: Any,
    l2: Any,
    g: Any,
    spare: Any,
) -> Any:
    """`settle` for one parameter of each of the units `low` to `high` of those in use."""
    if high == low:
        return g.dtype.type(0)
    corrected = corrected_by(program, run, sides.chance[op.side_out])
    present = sides.present[op.side_out]
    if op.thin_out:
        index = sides.index[op.side_out]
        start, stop = np.int64(index[low]), np.int64(index[high - 1]) + 1
        whole = spare[: stop - start]
        whole[:] = 0
        for i in range(high - low):
            whole[index[low + i] - start] = g[i]
        return settle(
            program, run, vectors, at + start, present[start:stop], corrected, l1, l2, np.inf, whole
        )
    return settle(program, run, vectors, at + low, present[low:high], corrected, l1, l2, np.inf, g)


@kernel
def expand(compact: Any, present: Any, rank: Any, out: Any) -> None:
    """What was computed for the inputs that exist, at their places; zeros elsewhere."""
    for i in range(out.size):
        value = compact[rank[i]]
        out[i] = value if present[i] else out.dtype.type(0)


@kernel
def dense_task(
    k: Any,
    op: Any,
    low: Any,
    high: Any,
    program: Any,
    run: Any,
    rounds: Any,
    vectors: Any,
    sides: Any,
    activations: Any,
    slopes: Any,
    capacity: Any,
    scratch: Any,
    bits: Any,
) -> Any:
    """Units `low` to `high` of those in use."""
    units, n_in = high - low, n_inputs(op, sides)
    block, b = scratch[: units * op.n_in], scratch[units * op.n_in : units * (op.n_in + 1)]
    spare = scratch[units * (op.n_in + 1) :]
    at_dy = op.dy * capacity + low
    products.weight_gradient(
        run.rows, n_in, units, slopes, at_dy, op.n_out, activations, op.x * capacity, op.n_in,
        block, 0, op.n_in,
    )  # fmt: skip
    products.sum_rows(run.rows, slopes, at_dy, op.n_out, b)
    columns, rank = sides.present[op.side_in, : op.n_in], sides.rank[op.side_in]
    corrected = corrected_by(program, run, sides.chance[op.side_out] * sides.chance[op.side_in])
    total = block.dtype.type(0)
    for i in range(units):
        unit = np.int64(sides.index[op.side_out, low + i]) if op.thin_out else low + i
        if not sides.present[op.side_out, unit]:
            continue
        g = block[i * op.n_in : (i + 1) * op.n_in]
        if op.thin_in:
            expand(g, columns, rank, spare[: op.n_in])
            g = spare[: op.n_in]
        if op.dropped:
            limit, scale = rounds.limits[k, op.rate], rounds.levels[k, op.rate, 0]
            mask_weights(op, unit, run.step, rounds.keys, limit, scale, bits, g)
        at = op.weights + unit * op.n_in
        total += settle(program, run, vectors, at, columns, corrected, op.l1, op.l2, op.max_norm, g)
    total += settle_units(
        op, op.bias, low, high, program, run, vectors, sides, op.bias_l1, op.bias_l2, b, spare
    )
    return total


@kernel
def absent_gradient(op: Any, low: Any, high: Any, sides: Any, gradient: Any) -> None:
    """Where the gradient is kept, that of units that do not exist is 0."""
    width = op.n_in if op.kind == DENSE else 1
    for unit in range(low, high):
        if not sides.present[op.side_out, unit]:
            gradient[op.weights + unit * width : op.weights + (unit + 1) * width] = 0
            gradient[op.bias + unit] = 0


@kernel
def norm_task(
    op: Any,
    low: Any,
    high: Any,
    program: Any,
    run: Any,
    vectors: Any,
    sides: Any,
    activations: Any,
    slopes: Any,
    statistics: Any,
    capacity: Any,
    scratch: Any,
) -> Any:
    """gamma and beta of a normalisation, whose gradients a BatchNorm has already."""
    n = high - low
    d_gamma, d_beta, spare = scratch[:n], scratch[n : 2 * n], scratch[2 * n :]
    if op.kind == BATCH_NORM:
        d_gamma[:] = norms.part(op, norms.PRODUCT, low, high, statistics)
        d_beta[:] = norms.part(op, norms.SUM, low, high, statistics)
    else:
        norms.layer_norm_gradients(
            op, run.rows, capacity, low, high, activations, op.x * capacity,
            slopes, op.dy * capacity, statistics, d_gamma, d_beta,
        )  # fmt: skip
    total = settle_units(
        op, op.weights, low, high, program, run, vectors, sides, 0.0, 0.0, d_gamma, spare
    )
    total += settle_units(
        op, op.bias, low, high, program, run, vectors, sides, 0.0, 0.0, d_beta, spare
    )
    return total


@kernel
def apply_task(
    op: Any, low: Any, high: Any, factor: Any, program: Any, run: Any, vectors: Any, sides: Any
) -> Any:
    """Use the gradient that was kept, times `factor`; `low` and `high` count all units."""
    present, total = sides.present[op.side_out], vectors.theta.dtype.type(0)
    if op.kind == DENSE:
        columns = sides.present[op.side_in, : op.n_in]
        corrected = corrected_by(program, run, sides.chance[op.side_out] * sides.chance[op.side_in])
        for unit in range(low, high):
            at = op.weights + unit * op.n_in
            g = scaled(vectors.gradient[at : at + op.n_in], factor)
            if present[unit]:
                total += move(program, run, vectors, at, columns, corrected, op.max_norm, g)
    else:
        total += apply_units(
            op.weights, low, high, factor, program, run, vectors, op.side_out, sides
        )
    total += apply_units(op.bias, low, high, factor, program, run, vectors, op.side_out, sides)
    return total


@kernel
def apply_units(
    at: Any,
    low: Any,
    high: Any,
    factor: Any,
    program: Any,
    run: Any,
    vectors: Any,
    side: Any,
    sides: Any,
) -> Any:
    corrected = corrected_by(program, run, sides.chance[side])
    g = scaled(vectors.gradient[at + low : at + high], factor)
    return move(
        program, run, vectors, at + low, sides.present[side, low:high], corrected, np.inf, g
    )


@kernel
def scaled(g: Any, factor: Any) -> Any:
    if factor != 1:
        for i in range(g.size):
            g[i] *= g.dtype.type(factor)
    return g


@kernel
def squares(op: Any, low: Any, high: Any, gradient: Any) -> Any:
    """The sum of the squares of a task's gradient."""
    width = op.n_in if op.kind == DENSE else 1
    total = 0.0
    for i in range(op.weights + low * width, op.weights + high * width):
        total += np.float64(gradient[i]) ** 2
    for i in range(op.bias + low, op.bias + high):
        total += np.float64(gradient[i]) ** 2
    return total
