"""What exists in a step of shared masks, compiled; what is seen of W (`layers.presence`).

A *side* is the input or the output of layers over which the same dropouts decide, its *governors*
(`engine.sides`).  `present` has a byte for each unit of each side, `index` the units that exist.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.kernels.memory import governor_at, view
from thinnet.engine.kernels.noise import (
    LEVELS,
    SHARED_ID,
    bits_of,
    draw_mask,
    is_kept,
    limit_of,
    mask_of,
    stream_of,
)
from thinnet.engine.kernels.philox import keep_bits
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE


@part
def present_of(side: Any, w: Any) -> Any:
    return view(w.present + side * w.side_width, np.uint8(0))


@part
def index_of(side: Any, w: Any) -> Any:
    return view(w.index + 4 * side * w.side_width, np.int32(0))


@part
def count_of(side: Any, w: Any) -> Any:
    return view(w.count, np.int64(0))[side]


@part
def chance_of(side: Any, w: Any) -> Any:
    return view(w.chance, 0.0)[side]


@part
def n_inputs(op: Any, w: Any) -> Any:
    return count_of(op.side_in, w) if op.thin_in else op.n_in


@part
def n_outputs(op: Any, w: Any) -> Any:
    return count_of(op.side_out, w) if op.thin_out else op.n_out


@part
def unit_at(op: Any, place: Any, w: Any) -> Any:
    """Which unit stands at a place of an operation's output."""
    return np.int64(index_of(op.side_out, w)[place]) if op.thin_out else place


@part
def in_use(op: Any, low: Any, high: Any, w: Any) -> Any:
    """The part of the places `low` to `high` that a thin operation has."""
    if not op.thin_out:
        return low, high
    n = count_of(op.side_out, w)
    return min(low, n), min(high, n)


@part
def prepare_side(side: Any, me: Any, now: Any, w: Any) -> None:
    """Find out which units of `side` exist in this round, and how probable that was."""
    width = view(w.widths, np.int64(0))[side]
    present, bits, chance = present_of(side, w)[:width], bits_of(me, w), 1.0
    present[:] = 1
    for i in range(w.n_governors):
        governor = governor_at(w.governors, i)
        if governor.side == side:
            limit = limit_of(governor, now, w)
            chance *= np.float64(LEVELS - limit) / np.float64(LEVELS)
            draw_mask(governor, SHARED_ID, limit, now, w, bits)
            keep_only(governor, bits, w, present)
    view(w.chance, 0.0)[side] = chance
    view(w.count, np.int64(0))[side] = number(present, index_of(side, w))


@part
def keep_only(governor: Any, bits: Any, w: Any, present: Any) -> None:
    maps = view(w.maps, np.int32(0))
    for unit in range(present.size):
        place = unit if governor.map == NO_PLACE else np.int64(maps[governor.map + unit])
        present[unit] &= is_kept(bits, place)


@part
def number(present: Any, index: Any) -> Any:
    """Write the units that exist; how many there are."""
    n = np.int64(0)
    for unit in range(present.size):
        index[n] = unit
        n += np.int64(present[unit])
    return n


@part
def see(op: Any, low: Any, high: Any, me: Any, now: Any, w: Any, like: Any) -> None:
    """What exists of W and b, moved together, places `low` to `high`; masked by DropConnect."""
    low, high = in_use(op, low, high, w)
    n_in, columns = n_inputs(op, w), index_of(op.side_in, w)
    theta, seen = view(w.theta, like), view(w.seen, like)
    for place in range(low, high):
        unit = unit_at(op, place, w)
        row = theta[op.weights + unit * op.n_in : op.weights + (unit + 1) * op.n_in]
        out = seen[op.weights + place * op.n_in : op.weights + place * op.n_in + n_in]
        if op.thin_in:
            pick(row, columns, out)
        else:
            out[:] = row
        if op.dropped:
            mask_weights(op, unit, me, now, w, out)
        seen[op.bias + place] = theta[op.bias + unit]


@part
def pick(row: Any, index: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = row[index[i]]


@part
def mask_weights(op: Any, unit: Any, me: Any, now: Any, w: Any, row: Any) -> None:
    """DropConnect of the weights into `unit`, in place; unit numbers count through all weights."""
    limit, scale = mask_of(op, now, w, row.dtype.type(0))
    first = unit * op.n_in
    start, stop = first // 8, (first + op.n_in + 7) // 8
    used = bits_of(me, w)[: stop - start]
    keep_bits(used, stream_of(op, now, w), SHARED_ID, limit, start)
    ahead = first - 8 * start
    for i in range(op.n_in):
        row[i] = row[i] * scale if is_kept(used, ahead + i) else row.dtype.type(0)
