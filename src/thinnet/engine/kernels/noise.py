"""What dropout and its relatives do to one row, in place; drawn where it is needed, never stored.

``noise`` of an operation is one of the codes of `opcodes`; its numbers for a round are `limit`, the
16-bit threshold of the rate, and `levels`:

    MASK           (x - level 1) * level 0 where kept, 0 elsewhere; then + level 2
    TIMES_NORMAL   x * (1 + level 0 * n)
    PLUS_NORMAL    x + level 0 * n
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.compile import kernel
from thinnet.engine.kernels.dropout import apply_bits
from thinnet.engine.kernels.normals import normals
from thinnet.engine.kernels.philox import keep_bits
from thinnet.engine.opcodes import MASK, NOWHERE, PLUS_NORMAL, TIMES_NORMAL
from thinnet.philox import SHARED

NOBODY = np.uint64(SHARED)
ALL = np.uint64(65_536)  # the threshold below which every draw lies


@kernel
def sample_of(shared: Any, ids: Any, row: Any) -> Any:
    return NOBODY if shared else np.uint64(ids[row])


@kernel
def draw_mask(
    n_drawn: Any, keys: Any, stream: Any, step: Any, sample: Any, limit: Any, bits: Any
) -> None:
    """The keep bits of a row of `n_drawn` units."""
    used = bits[: (n_drawn + 7) // 8]
    keep_bits(used, keys[0], keys[1], np.uint64(stream), np.uint64(step), sample, limit)


@kernel
def is_kept(bits: Any, unit: Any) -> Any:
    return (bits[unit >> 3] >> np.uint8(unit & 7)) & np.uint8(1)


@kernel
def spread(bits: Any, places: Any, scale: Any, row: Any) -> None:
    """The mask where unit i has the draw of ``places[i]``: what shares it along some axes."""
    for i in range(row.size):
        row[i] = row[i] * scale if is_kept(bits, places[i]) else row.dtype.type(0)


@kernel
def add(row: Any, value: Any) -> None:
    if value != 0:
        for i in range(row.size):
            row[i] += value


@kernel
def multiply(row: Any, value: Any) -> None:
    if value != 1:
        for i in range(row.size):
            row[i] *= value


@kernel
def mask_row(op: Any, bits: Any, maps: Any, scale: Any, row: Any) -> None:
    if op.map == NOWHERE:
        apply_bits(row, bits, scale, row)
    else:
        spread(bits, maps[op.map : op.map + row.size], scale, row)


@kernel
def normal_row(
    op: Any, keys: Any, step: Any, sample: Any, maps: Any, drawn: Any, level: Any, row: Any
) -> None:
    """Normal noise, added or as a factor ``1 + level * n``."""
    normals(drawn[: op.n_drawn], keys, np.uint64(op.stream), np.uint64(step), sample)
    for i in range(row.size):
        n = drawn[i if op.map == NOWHERE else maps[op.map + i]]
        if op.noise == PLUS_NORMAL:
            row[i] += row.dtype.type(level * n)
        else:
            row[i] *= row.dtype.type(1.0 + level * n)


@kernel
def noise_forward(
    op: Any,
    thin: Any,
    keys: Any,
    step: Any,
    sample: Any,
    limit: Any,
    levels: Any,
    maps: Any,
    bits: Any,
    drawn: Any,
    row: Any,
) -> None:
    if op.noise == MASK:
        add(row, -levels[1])
        if thin or limit == 0:
            multiply(row, levels[0])
        else:
            if not op.shared:
                draw_mask(op.n_drawn, keys, op.stream, step, sample, limit, bits)
            mask_row(op, bits, maps, levels[0], row)
        add(row, levels[2])
    elif (op.noise == TIMES_NORMAL or op.noise == PLUS_NORMAL) and levels[0] != 0:
        normal_row(op, keys, step, sample, maps, drawn, levels[0], row)


@kernel
def noise_backward(
    op: Any,
    thin: Any,
    keys: Any,
    step: Any,
    sample: Any,
    limit: Any,
    levels: Any,
    maps: Any,
    bits: Any,
    drawn: Any,
    row: Any,
) -> None:
    """The derivative times `row`: the same factors, and nothing that was added."""
    if op.noise == MASK:
        if thin or limit == 0:
            multiply(row, levels[0])
        else:
            if not op.shared:
                draw_mask(op.n_drawn, keys, op.stream, step, sample, limit, bits)
            mask_row(op, bits, maps, levels[0], row)
    elif op.noise == TIMES_NORMAL and levels[0] != 0:
        normal_row(op, keys, step, sample, maps, drawn, levels[0], row)
