"""Rows of numbers copied, sixteen at a time."""

from __future__ import annotations

import numpy as np

from thinnet.engine.aliases import Numbers, Pointer
from thinnet.engine.kernels.lanes import EVERY, LANES, copy_lanes, tail
from thinnet.engine.linking import part


@part
def copy_row(source: Pointer, out: Numbers) -> None:
    """Fill `out` with the numbers of its own type from the address `source` on."""
    target, size, like = np.uint64(out.ctypes.data), out.itemsize, out.dtype.type(0)
    for i in range(0, out.size, LANES):
        there, ahead = EVERY if i + LANES <= out.size else tail(out.size), np.uint64(i * size)
        copy_lanes(source + ahead, there, target + ahead, like)


@part
def copy(values: Numbers, out: Numbers) -> None:
    """Fill `out` with as many of `values`, which compiles in a tenth of the time of a slice set."""
    copy_row(np.uint64(values.ctypes.data), out)
