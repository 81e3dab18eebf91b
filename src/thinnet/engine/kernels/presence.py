"""What exists in a step of shared masks, compiled; what is seen of W (`layers.presence`).

A *side* is the input or the output of layers over which the same dropouts decide, its *governors*
(`engine.sides`).  `present` has a byte for each unit of each side, `index` the units that exist.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.engine.aliases import Bytes, Indices, Longs, Numbers, Thread
from thinnet.engine.kernels.keep_bits import keep_bits
from thinnet.engine.kernels.lanes import EXPANDS, compress
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
from thinnet.engine.linking import part
from thinnet.engine.opcodes import NO_PLACE
from thinnet.engine.records import Governor, Operation, Round, Work

TERMS_OF_A_BLOCK: Final = 256  # of a product, counted whether they exist or not


@part
def present_of(side: int, w: Work) -> Bytes:
    return view(w.present + side * w.side_width, np.uint8(0))


@part
def index_of(side: int, w: Work) -> Indices:
    return view(w.index + 4 * side * w.side_width, np.int32(0))


@part
def count_of(side: int, w: Work) -> int:
    return view(w.count, np.int64(0))[side]


@part
def cuts_of(side: int, w: Work) -> Longs:
    return view(w.cuts + 8 * side * w.n_cuts, np.int64(0))


@part
def cut_at(side: int, block: int, n: int, w: Work) -> int:
    """How many of the n units that exist come before the end of a block; side 0 is all there."""
    return cuts_of(side, w)[block] if side else min((block + 1) * TERMS_OF_A_BLOCK, n)


@part
def chance_of(side: int, w: Work) -> float:
    return view(w.chance, 0.0)[side]


@part
def n_inputs(op: Operation, w: Work) -> int:
    return count_of(op.side_in, w) if op.thin_in else op.n_in


@part
def n_outputs(op: Operation, w: Work) -> int:
    return count_of(op.side_out, w) if op.thin_out else op.n_out


@part
def is_drawn(op: Operation) -> bool:
    """Are the weights other than they stand in theta?"""
    return bool(op.thin_in or op.thin_out or op.dropped)


@part
def unit_at(op: Operation, place: int, w: Work) -> int:
    """Which unit stands at a place of an operation's output."""
    return int(index_of(op.side_out, w)[place]) if op.thin_out else place


@part
def in_use(op: Operation, low: int, high: int, w: Work) -> tuple[int, int]:
    """The part of the places `low` to `high` that a thin operation has."""
    if not op.thin_out:
        return low, high
    n = count_of(op.side_out, w)
    return min(low, n), min(high, n)


@part
def prepare_side(side: int, me: Thread, now: Round, w: Work) -> None:
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
    view(w.count, np.int64(0))[side] = number(present, index_of(side, w), cuts_of(side, w))


@part
def keep_only(governor: Governor, bits: Bytes, w: Work, present: Bytes) -> None:
    maps = view(w.maps, np.int32(0))
    for unit in range(present.size):
        place = unit if governor.map == NO_PLACE else int(maps[governor.map + unit])
        present[unit] &= is_kept(bits, place)


@part
def number(present: Bytes, index: Indices, cuts: Longs) -> int:
    """Write the units that exist, and where blocks of terms end; how many there are."""
    n = 0
    for unit in range(present.size):
        index[n] = unit
        n += int(present[unit])
        cuts[unit // TERMS_OF_A_BLOCK] = n
    return n


@part
def pick(row: Numbers, side: int, w: Work, out: Numbers) -> None:
    """The numbers of a row that exist, one behind the other."""
    if EXPANDS:
        compress(row, present_of(side, w), out)
    else:
        index = index_of(side, w)
        for i in range(out.size):
            out[i] = row[index[i]]


@part
def mask_weights(op: Operation, unit: int, me: Thread, now: Round, w: Work, row: Numbers) -> None:
    """DropConnect of the weights into `unit`, in place; unit numbers count through all weights."""
    limit, scale = mask_of(op, now, w, row.dtype.type(0))
    first = unit * op.n_in
    start, stop = first // 8, (first + op.n_in + 7) // 8
    used = bits_of(me, w)[: stop - start]
    keep_bits(used, stream_of(op, now, w), SHARED_ID, limit, start)
    ahead = first - 8 * start
    for i in range(op.n_in):
        row[i] = row[i] * scale if is_kept(used, ahead + i) else row.dtype.type(0)
