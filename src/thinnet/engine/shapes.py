"""The shape of the tiles of sums that a processor computes at once; it changes no bit."""

from __future__ import annotations

import os
import re
from typing import Final, NamedTuple

from thinnet import checks
from thinnet.engine.target import has

LANES: Final = 16  # numbers of float32 in a vector
MOST_ROWS, MOST_VECTORS = 16, 3


class Shape(NamedTuple):
    """Rows of the tiles that a processor computes, largest first, and vectors of a panel."""

    rows: tuple[int, ...]
    vectors: int

    @property
    def halved(self) -> int:
        """Rows of which two tiles of the second size leave fewer alone than the largest; or 0."""
        twice = 2 * self.rows[1] if len(self.rows) > 1 else 0
        return twice if twice > self.rows[0] else 0

    def __str__(self) -> str:
        return f"{self.rows[0]}x{self.vectors * LANES}"


def _shape(rows: int, vectors: int) -> Shape:
    return Shape((rows, *(fewer for fewer in (8, 4, 2, 1) if fewer < rows)), vectors)


# Sums, a row of the panel and one number of the other operand fill the registers.
SHAPES: Final = {
    "avx512f": _shape(8, 3),  # 32 registers of a vector each
    "avx2": _shape(6, 1),  # 16 of half a vector
    "neon": _shape(6, 1),  # 32 of a quarter
}


def chosen() -> Shape:
    """$THINNET_TILES, else what suits the processor that code is compiled for.

    Raises
    ------
    ValueError
        If $THINNET_TILES is not rows and numbers of float32, such as ``8x48``.
    """
    asked = os.environ.get("THINNET_TILES")
    if asked is None:
        return next((shape for feature, shape in SHAPES.items() if has(feature)), SHAPES["avx2"])
    found = re.fullmatch(r"([0-9]{1,2})x(16|32|48)", asked)
    rows, numbers = map(int, found.groups()) if found else (0, 0)
    allowed = f"ROWSxNUMBERS, from 1 to {MOST_ROWS} rows of 16, 32 or 48 numbers"
    checks.must(1 <= rows <= MOST_ROWS, "THINNET_TILES", allowed, asked)
    return _shape(rows, numbers // LANES)
