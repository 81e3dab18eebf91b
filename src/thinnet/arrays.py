"""Array types with their shapes, checked under test and free in production.

``rows`` counts samples, ``features`` the axes behind them; ``width`` is the length of the only
feature axis where a layer takes just one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from jaxtyping import AbstractDtype, Bool, Integer

if TYPE_CHECKING:
    from jaxtyping import Float as Float
else:

    class Float(AbstractDtype):
        """jaxtyping's own, and long double, which it leaves out."""

        dtypes = ("float16", "float32", "float64", "float128", "longdouble")


Array: TypeAlias = np.ndarray
Features: TypeAlias = tuple[int, ...]
Flat: TypeAlias = Float[Array, " size"]
Rows: TypeAlias = Float[Array, "rows ..."]
SameRows: TypeAlias = Float[Array, "rows *features"]  # of what keeps the shape of its rows
Table: TypeAlias = Float[Array, "rows width"]
Out: TypeAlias = Float[Array, "rows units"]
Weights: TypeAlias = Float[Array, " rows"]
Ids: TypeAlias = Integer[Array, " rows"]
Keep: TypeAlias = Bool[Array, "..."]

Samples: TypeAlias = Sequence[int] | Integer[Array, " rows"] | Literal["shared"]
