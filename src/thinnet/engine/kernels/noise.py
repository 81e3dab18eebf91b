"""What dropout and its relatives do to rows, in place; drawn where it is needed, never stored.

``noise`` of an operation is one of the codes of `opcodes`; its numbers for a round are `limit`, the
16-bit threshold of the rate, and three levels:

    MASK           (x - level 1) * level 0 where kept, 0 elsewhere; then + level 2
    TIMES_NORMAL   x * (1 + level 0 * n)
    PLUS_NORMAL    x + level 0 * n
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.engine.kernels.dropout import NO_ADDRESS, NO_BIAS, apply_bits_to_rows, drop_row
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.normals import normals
from thinnet.engine.kernels.philox import keep_bits, keep_bits_of_rows
from thinnet.engine.linking import exact_part, part
from thinnet.engine.opcodes import MASK, NO_NOISE, NO_PLACE, PLUS_NORMAL, TIMES_NORMAL
from thinnet.philox import SHARED

SHARED_ID: Final = np.uint64(SHARED)
LEVELS: Final = np.uint64(65_536)  # the threshold below which every draw lies
SWEEP_ROWS: Final = 64  # rows that are swept over together, at most
# Units of a row from which on its own counters fill the lanes of a vector well enough; below, they
# are filled by several rows.
ALONG: Final = 40


@part
def limit_of(op: Any, k: Any, w: Any) -> Any:
    return view(w.limits, np.uint64(0))[k * w.n_rates + op.rate]


@part
def level_of(op: Any, k: Any, which: Any, w: Any, like: Any) -> Any:
    return view(w.levels, like)[(k * w.n_rates + op.rate) * 3 + which]


@part
def bits_of(me: Any, w: Any) -> Any:
    """Where a thread keeps the bits of a few rows, for as long as they are in use."""
    return view(w.bits + me * w.bits_size, np.uint8(0))


@part
def sample_of(op: Any, run: Any, r: Any, w: Any) -> Any:
    """Whose mask row r of a round gets."""
    if op.shared:
        return SHARED_ID
    place = run.start + r
    row = view(w.order, np.int64(0))[place] if w.order else place
    return np.uint64(view(w.ids, np.uint32(0))[row])


@part
def draw_mask(what: Any, step: Any, sample: Any, limit: Any, w: Any, bits: Any) -> None:
    """The keep bits of one row of an operation, or of a governor."""
    used = bits[: (what.n_drawn + 7) // 8]
    keep_bits(used, w.k0, w.k1, np.uint64(what.stream), np.uint64(step), sample, limit)


@part
def is_kept(bits: Any, unit: Any) -> Any:
    return (bits[unit >> 3] >> np.uint8(unit & 7)) & np.uint8(1)


@part
def draw_masks(op: Any, low: Any, high: Any, me: Any, run: Any, limit: Any, w: Any) -> Any:
    """The keep bits of rows `low` to `high`; how many bytes lie between two of them."""
    bits = bits_of(me, w)
    if op.shared:
        draw_mask(op, run.step, SHARED_ID, limit, w, bits)
        return 0
    blocks = (op.n_drawn + 7) // 8
    if op.n_drawn >= ALONG:
        for r in range(low, high):
            draw_mask(op, run.step, sample_of(op, run, r, w), limit, w, bits[(r - low) * blocks :])
    else:
        samples = view(w.samples, np.uint64(0))[me * SWEEP_ROWS : (me + 1) * SWEEP_ROWS]
        for r in range(low, high):
            samples[r - low] = sample_of(op, run, r, w)
        stream, step, n = np.uint64(op.stream), np.uint64(run.step), high - low
        keep_bits_of_rows(bits, blocks, w.k0, w.k1, stream, step, samples, n, limit)
    return blocks


@exact_part
def spread(bits: Any, places: Any, scale: Any, row: Any) -> None:
    """The mask where unit i has the draw of ``places[i]``: what shares it along some axes."""
    for i in range(row.size):
        row[i] = row[i] * scale if is_kept(bits, places[i]) else row.dtype.type(0)


@part
def drop_rows(
    what: Any, op: Any, low: Any, high: Any, n: Any, bias: Any, rows: Any, me: Any, run: Any,
    limit: Any, scale: Any, w: Any,
) -> None:  # fmt: skip
    """Dropout of each unit of rows `low` to `high`, which stand in `rows`, with what is before it.

    `bias` is an address.
    """
    if op.shared or op.n_drawn < ALONG:
        between, bits = draw_masks(op, low, high, me, run, limit, w), bits_of(me, w)
        apply_bits_to_rows(what, rows, high - low, op.n_out, n, bias, bits, between, scale)
        return
    start, size = np.uint64(rows.ctypes.data), rows.itemsize
    for r in range(low, high):
        row, sample = start + np.uint64((r - low) * op.n_out * size), sample_of(op, run, r, w)
        drop_row(
            what, row, bias, n, sample, np.uint64(op.stream), np.uint64(run.step), w.k0, w.k1,
            limit, scale, size,
        )  # fmt: skip


@part
def mask_rows(
    op: Any,
    low: Any,
    high: Any,
    n: Any,
    rows: Any,
    me: Any,
    run: Any,
    limit: Any,
    by: Any,
    w: Any,
) -> None:
    """``rows = rows * by`` where kept and 0 elsewhere; `rows` starts at row `low`."""
    if op.map == NO_PLACE:
        drop_rows(NO_BIAS, op, low, high, n, NO_ADDRESS, rows, me, run, limit, by, w)
        return
    between, bits = draw_masks(op, low, high, me, run, limit, w), bits_of(me, w)
    for r in range(high - low):
        row = rows[r * op.n_out : r * op.n_out + n]
        spread(bits[r * between :], view(w.maps, np.int32(0))[op.map :], by, row)


@exact_part
def normal_row(op: Any, step: Any, sample: Any, me: Any, level: Any, w: Any, row: Any) -> None:
    """Normal noise, added or as a factor ``1 + level * n``."""
    drawn, maps = view(w.drawn + 8 * me * w.drawn_size, 0.0), view(w.maps, np.int32(0))
    normals(drawn[: op.n_drawn], w.k0, w.k1, np.uint64(op.stream), np.uint64(step), sample)
    for i in range(row.size):
        n = drawn[i if op.map == NO_PLACE else np.int64(maps[op.map + i])]
        if op.noise == PLUS_NORMAL:
            row[i] += row.dtype.type(np.float64(level) * n)
        else:
            row[i] *= row.dtype.type(fma(np.float64(level), n, 1.0))


@part
def normal_rows(
    op: Any, low: Any, high: Any, n: Any, rows: Any, me: Any, run: Any, level: Any, w: Any
) -> None:
    for r in range(low, high):
        row = rows[(r - low) * op.n_out : (r - low) * op.n_out + n]
        normal_row(op, run.step, sample_of(op, run, r, w), me, level, w, row)


@exact_part
def shift_rows(value: Any, n_rows: Any, width: Any, n: Any, rows: Any) -> None:
    """Add a number to all; rows that lie without gaps are one."""
    many, length = (1, n_rows * n) if n == width else (n_rows, n)
    for r in range(many):
        row = rows[r * width : r * width + length]
        for i in range(length):
            row[i] += value


@exact_part
def multiply_rows(value: Any, n_rows: Any, width: Any, n: Any, rows: Any) -> None:
    many, length = (1, n_rows * n) if n == width else (n_rows, n)
    for r in range(many):
        row = rows[r * width : r * width + length]
        for i in range(length):
            row[i] *= value


@part
def noise_forward(
    op: Any, low: Any, high: Any, n: Any, rows: Any, k: Any, me: Any, run: Any, w: Any
) -> None:
    """The noise of an operation on its rows `low` to `high`, which stand in `rows`."""
    like = rows.dtype.type(0)
    first = level_of(op, k, 0, w, like)
    if op.noise == MASK:
        before, after = level_of(op, k, 1, w, like), level_of(op, k, 2, w, like)
        if before != 0:
            shift_rows(-before, high - low, op.n_out, n, rows)
        factors(op, low, high, n, rows, k, me, run, op.thin_out != 0, w)
        if after != 0:
            shift_rows(after, high - low, op.n_out, n, rows)
    elif op.noise != NO_NOISE and first != 0:
        normal_rows(op, low, high, n, rows, me, run, first, w)


@part
def noise_backward(
    op: Any, low: Any, high: Any, n: Any, rows: Any, k: Any, me: Any, run: Any, implied: Any, w: Any
) -> None:
    """The derivative times `rows`: the same factors, and nothing that was added.

    Where the mask is `implied` by a rectifier's zeros, only its scale is left.
    """
    level = level_of(op, k, 0, w, rows.dtype.type(0))
    if op.noise == MASK:
        factors(op, low, high, n, rows, k, me, run, implied or op.thin_out != 0, w)
    elif op.noise == TIMES_NORMAL and level != 0:
        normal_rows(op, low, high, n, rows, me, run, level, w)


@part
def factors(
    op: Any, low: Any, high: Any, n: Any, rows: Any, k: Any, me: Any, run: Any, whole: Any, w: Any
) -> None:
    limit, scale = limit_of(op, k, w), level_of(op, k, 0, w, rows.dtype.type(0))
    if not whole and limit != 0:
        mask_rows(op, low, high, n, rows, me, run, limit, scale, w)
    elif scale != 1:
        multiply_rows(scale, high - low, op.n_out, n, rows)
