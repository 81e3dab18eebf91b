"""What exists in a step of shared masks: compiled twin of `thinnet.presence`; what is seen of W.

A *side* is the input or the output of layers, with the shared dropouts that vote over it.  Side 0
has no votes: all of it exists.  `present` has a byte for each unit of each side, `index` the units
that exist, `rank` the place of each unit among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.noise import ALL, NOBODY, draw_mask, is_kept
from thinnet.engine.kernels.philox import keep_bits
from thinnet.engine.opcodes import NOWHERE


@kernel
def prepare_side(
    side: Any,
    width: Any,
    votes: Any,
    maps: Any,
    step: Any,
    keys: Any,
    limits: Any,
    bits: Any,
    sides: Any,
) -> None:
    """Find out which units of `side` exist in this round, and how probable that was."""
    present, chance = sides.present[side, :width], 1.0
    present[:] = 1
    for i in range(votes.size):
        vote = votes[i]
        if vote.side != side:
            continue
        limit = limits[vote.rate]
        chance *= np.float64(ALL - limit) / np.float64(ALL)
        draw_mask(vote.n_drawn, keys, vote.stream, step, NOBODY, limit, bits)
        for unit in range(width):
            place = unit if vote.map == NOWHERE else np.int64(maps[vote.map + unit])
            present[unit] &= is_kept(bits, place)
    sides.chance[side] = chance
    sides.count[side] = number(present, sides.index[side], sides.rank[side])


@kernel
def number(present: Any, index: Any, rank: Any) -> Any:
    """Write the units that exist, and the place of each among them; how many there are."""
    n = 0
    for unit in range(present.size):
        rank[unit] = n
        if present[unit]:
            index[n] = unit
            n += 1
    return n


@kernel
def see_dense(op: Any, low: Any, high: Any, theta: Any, sides: Any, seen: Any) -> None:
    """The rows and columns of W that exist, moved together; units `low` to `high` of those."""
    n_in = sides.count[op.side_in] if op.thin_in else op.n_in
    columns = sides.index[op.side_in]
    for place in range(low, high):
        unit = np.int64(sides.index[op.side_out, place]) if op.thin_out else place
        w = theta[op.weights + unit * op.n_in : op.weights + (unit + 1) * op.n_in]
        out = seen[op.weights + place * op.n_in : op.weights + place * op.n_in + n_in]
        if op.thin_in:
            for i in range(n_in):
                out[i] = w[columns[i]]
        else:
            out[:] = w
        seen[op.bias + place] = theta[op.bias + unit]


@kernel
def mask_weights(
    op: Any, unit: Any, step: Any, keys: Any, limit: Any, scale: Any, bits: Any, row: Any
) -> None:
    """DropConnect of the weights into `unit`, in place; unit numbers count through all weights."""
    first = unit * op.n_in
    start, stop = first // 8, (first + op.n_in + 7) // 8
    used = bits[: stop - start]
    keep_bits(
        used,
        keys[0],
        keys[1],
        np.uint64(op.stream),
        np.uint64(step),
        NOBODY,
        limit,
        np.uint64(start),
    )
    ahead = first - 8 * start
    for i in range(op.n_in):
        row[i] = row[i] * scale if is_kept(used, ahead + i) else row.dtype.type(0)
