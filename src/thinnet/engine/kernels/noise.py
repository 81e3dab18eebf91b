"""What dropout and its relatives do to rows, in place; drawn where it is needed, never stored.

``noise`` of an operation is one of the codes of `opcodes`; its numbers for a round are `limit`, the
16-bit threshold of the rate, and three levels:

    MASK           (x - level 1) * level 0 where kept, 0 elsewhere; then + level 2
    TIMES_NORMAL   x * (1 + level 0 * n)
    PLUS_NORMAL    x + level 0 * n
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Indices, Like, Number, Numbers, Thread, Word
from thinnet.engine.kernels.dropout import (
    NO_ADDRESS,
    NO_BIAS,
    Before,
    Mask,
    apply_bits_to_rows,
    drop_row,
)
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.keep_bits import keep_bits, keep_bits_of_rows
from thinnet.engine.kernels.memory import cast, view
from thinnet.engine.kernels.normals import normals
from thinnet.engine.kernels.philox import Stream
from thinnet.engine.linking import part
from thinnet.engine.opcodes import MASK, NO_NOISE, NO_PLACE, PLUS_NORMAL, TIMES_NORMAL
from thinnet.engine.records import Drawing, Operation, Round, Work
from thinnet.philox import SHARED

SHARED_ID: Final = np.uint64(SHARED)
LEVELS: Final = np.uint64(65_536)  # the threshold below which every draw lies
SWEEP_ROWS: Final = 64  # rows that are swept over together, at most
# Units of a row from which on its own counters fill the lanes of a vector well enough; below, they
# are filled by several rows.
ALONG: Final = 40


class Sweep(NamedTuple):
    """Some rows of an operation that are worked on together, and the numbers that each has."""

    low: int
    high: int
    n: int


@part
def limit_of(drawing: Drawing, now: Round, w: Work) -> Word:
    return view(w.limits, np.uint64(0))[now.number * w.n_rates + drawing.rate]


@part
def level_of(drawing: Drawing, which: int, now: Round, w: Work, like: Like) -> Number:
    return view(w.levels, like)[(now.number * w.n_rates + drawing.rate) * 3 + which]


@part
def mask_of(op: Operation, now: Round, w: Work, like: Like) -> Mask:
    return Mask(limit_of(op, now, w), level_of(op, 0, now, w, like))


@part
def mask_if_any(op: Operation, now: Round, w: Work, like: Like) -> Mask:
    """The mask of an operation; one that drops nothing where it has none."""
    return mask_of(op, now, w, like) if op.noise == MASK else Mask(np.uint64(0), cast(1, like))


@part
def stream_of(drawing: Drawing, now: Round, w: Work) -> Stream:
    return Stream(w.k0, w.k1, np.uint64(drawing.stream), np.uint64(now.step))


@part
def bits_of(me: Thread, w: Work) -> Bytes:
    """Where a thread keeps the bits of a few rows, for as long as they are in use."""
    return view(w.bits + me * w.bits_size, np.uint8(0))


@part
def sample_of(op: Operation, now: Round, r: int, w: Work) -> Word:
    """Whose mask row r of a round gets."""
    if op.shared:
        return SHARED_ID
    place = now.start + r
    row = view(w.order, np.int64(0))[place] if w.order else place
    return np.uint64(view(w.ids, np.uint32(0))[row])


@part
def draw_mask(
    drawing: Drawing, sample: Word, limit: Word, now: Round, w: Work, bits: Bytes
) -> None:
    """The keep bits of one row of an operation, or of a governor."""
    used = bits[: (drawing.n_drawn + 7) // 8]
    keep_bits(used, stream_of(drawing, now, w), sample, limit)


@part
def is_kept(bits: Bytes, unit: int) -> int:
    return (bits[unit >> 3] >> np.uint8(unit & 7)) & np.uint8(1)


@part
def draw_masks(
    op: Operation, low: int, high: int, limit: Word, me: Thread, now: Round, w: Work
) -> int:
    """The keep bits of rows `low` to `high`; how many bytes lie between two of them."""
    bits = bits_of(me, w)
    if op.shared:
        draw_mask(op, SHARED_ID, limit, now, w, bits)
        return 0
    blocks = (op.n_drawn + 7) // 8
    if op.n_drawn >= ALONG:
        for r in range(low, high):
            draw_mask(op, sample_of(op, now, r, w), limit, now, w, bits[(r - low) * blocks :])
    else:
        samples = view(w.samples, np.uint64(0))[me * SWEEP_ROWS : (me + 1) * SWEEP_ROWS]
        for r in range(low, high):
            samples[r - low] = sample_of(op, now, r, w)
        keep_bits_of_rows(bits, blocks, stream_of(op, now, w), samples, high - low, limit)
    return blocks


@part
def spread(bits: Bytes, places: Indices, scale: Number, row: Numbers) -> None:
    """The mask where unit i has the draw of ``places[i]``: what shares it along some axes."""
    for i in range(row.size):
        row[i] = row[i] * scale if is_kept(bits, places[i]) else row.dtype.type(0)


@part
def drop_rows(
    before: Before,
    op: Operation,
    sweep: Sweep,
    rows: Numbers,
    mask: Mask,
    me: Thread,
    now: Round,
    w: Work,
) -> None:
    """Dropout of each unit of the rows of a sweep, which stand in `rows`, and what comes before."""
    low, high, n = sweep
    if op.shared or op.n_drawn < ALONG:
        between = draw_masks(op, low, high, mask.limit, me, now, w)
        bits = bits_of(me, w)
        apply_bits_to_rows(before, rows, high - low, op.stride_out, n, bits, between, mask.scale)
        return
    start, size, stream = np.uint64(rows.ctypes.data), rows.itemsize, stream_of(op, now, w)
    for r in range(low, high):
        row, sample = start + np.uint64((r - low) * op.stride_out * size), sample_of(op, now, r, w)
        drop_row(before, row, n, sample, stream, mask, size)


@part
def mask_rows(
    op: Operation, sweep: Sweep, rows: Numbers, mask: Mask, me: Thread, now: Round, w: Work
) -> None:
    """``rows = rows * scale`` where kept and 0 elsewhere; they are those of the sweep."""
    if op.map == NO_PLACE:
        drop_rows(Before(NO_BIAS, NO_ADDRESS), op, sweep, rows, mask, me, now, w)
        return
    low, high, n = sweep
    between, bits = draw_masks(op, low, high, mask.limit, me, now, w), bits_of(me, w)
    for r in range(high - low):
        row = rows[r * op.stride_out : r * op.stride_out + n]
        spread(bits[r * between :], view(w.maps, np.int32(0))[op.map :], mask.scale, row)


@part
def normal_row(
    op: Operation, sample: Word, level: Number, me: Thread, now: Round, w: Work, row: Numbers
) -> None:
    """Normal noise, added or as a factor ``1 + level * n``."""
    drawn, maps = view(w.drawn + 8 * me * w.drawn_size, 0.0), view(w.maps, np.int32(0))
    normals(drawn[: op.n_drawn], stream_of(op, now, w), sample)
    for i in range(row.size):
        n = drawn[i if op.map == NO_PLACE else int(maps[op.map + i])]
        if op.noise == PLUS_NORMAL:
            row[i] += row.dtype.type(np.float64(level) * n)
        else:
            row[i] *= row.dtype.type(fma(np.float64(level), n, 1.0))


@part
def normal_rows(
    op: Operation, sweep: Sweep, rows: Numbers, level: Number, me: Thread, now: Round, w: Work
) -> None:
    low, high, n = sweep
    for r in range(low, high):
        row = rows[(r - low) * op.stride_out : (r - low) * op.stride_out + n]
        normal_row(op, sample_of(op, now, r, w), level, me, now, w, row)


@part
def shift_rows(value: Number, n_rows: int, width: int, n: int, rows: Numbers) -> None:
    """Add a number to all; rows that lie without gaps are one."""
    many, length = (1, n_rows * n) if n == width else (n_rows, n)
    for r in range(many):
        row = rows[r * width : r * width + length]
        for i in range(length):
            row[i] += value


@part
def multiply_rows(value: Number, n_rows: int, width: int, n: int, rows: Numbers) -> None:
    many, length = (1, n_rows * n) if n == width else (n_rows, n)
    for r in range(many):
        row = rows[r * width : r * width + length]
        for i in range(length):
            row[i] *= value


@part
def noise_forward(
    op: Operation, sweep: Sweep, rows: Numbers, me: Thread, now: Round, w: Work
) -> None:
    """The noise of an operation on the rows of a sweep, which stand in `rows`."""
    like, n_rows = rows.dtype.type(0), sweep.high - sweep.low
    first = level_of(op, 0, now, w, like)
    if op.noise == MASK:
        before, after = level_of(op, 1, now, w, like), level_of(op, 2, now, w, like)
        if before != 0:
            shift_rows(-before, n_rows, op.stride_out, sweep.n, rows)
        factors(op, sweep, rows, op.thin_out != 0, me, now, w)
        if after != 0:
            shift_rows(after, n_rows, op.stride_out, sweep.n, rows)
    elif op.noise != NO_NOISE and first != 0:
        normal_rows(op, sweep, rows, first, me, now, w)


@part
def noise_backward(
    op: Operation, sweep: Sweep, rows: Numbers, implied: bool, me: Thread, now: Round, w: Work
) -> None:
    """The derivative times `rows`: the same factors, and nothing that was added.

    Where the mask is `implied` by a rectifier's zeros, only its scale is left.
    """
    level = level_of(op, 0, now, w, rows.dtype.type(0))
    if op.noise == MASK:
        factors(op, sweep, rows, implied or op.thin_out != 0, me, now, w)
    elif op.noise == TIMES_NORMAL and level != 0:
        normal_rows(op, sweep, rows, level, me, now, w)


@part
def factors(
    op: Operation, sweep: Sweep, rows: Numbers, whole: bool, me: Thread, now: Round, w: Work
) -> None:
    mask = mask_of(op, now, w, rows.dtype.type(0))
    if not whole and mask.limit != 0:
        mask_rows(op, sweep, rows, mask, me, now, w)
    elif mask.scale != 1:
        multiply_rows(mask.scale, sweep.high - sweep.low, op.stride_out, sweep.n, rows)
