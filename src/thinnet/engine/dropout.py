"""Dropout of a whole array by compiled code, on as many threads as pay."""

from __future__ import annotations

import numpy as np

from thinnet import masks
from thinnet.arrays import Array, Ids
from thinnet.engine.kernels import philox as compiled
from thinnet.engine.kernels.dropout import dropout_rows
from thinnet.engine.threads import n_threads, run_team
from thinnet.philox import Stream

# Elements: below so many for each, waking a thread takes longer than dropping its share.
WORTH_A_THREAD = 2**18


def dropout(x: Array, ids: Ids, stream: Stream, rate: float, out: Array) -> None:
    """`masks.scaled` with the mask of `ids`, one for each row; C-contiguous float32 or float64.

    Values are multiplied by 1/q, which is faster than dividing by q and as good to one rounding.
    """
    rows, written = x.reshape(len(x), -1), out.reshape(len(x), -1)
    limit = masks.threshold(rate)
    # One array: a call takes longer to take apart what has many fields.
    numbers = np.array([*compiled.stream_numbers(stream), limit], np.uint64)
    scale = x.dtype.type(masks.LEVELS / (masks.LEVELS - limit))
    worth = min(x.size // WORTH_A_THREAD, len(x))
    size = min(n_threads(), worth) if worth > 1 else 1
    if size == 1:  # a team of one would take longer to gather than a small array to drop
        dropout_rows(rows, ids, written, numbers, scale)
    else:
        run_team(size, _part, (rows, ids, written), numbers, scale)


def _part(
    me: int,
    size: int,
    arrays: tuple[Array, Ids, Array],
    numbers: Array,
    scale: np.floating,
) -> None:
    """The rows of one thread; rows know nothing of each other, so no number depends on `size`."""
    n = len(arrays[0])
    rows = slice(me * n // size, (me + 1) * n // size)
    x, ids, out = (array[rows] for array in arrays)
    dropout_rows(x, ids, out, numbers, scale)
