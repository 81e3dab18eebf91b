"""Array types with their shapes, checked under test and free in production.

``rows`` counts samples, ``features`` the axes behind them; ``width`` is the length of the only
feature axis where a layer takes just one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Integer

Array: TypeAlias = np.ndarray
Features: TypeAlias = tuple[int, ...]
Flat: TypeAlias = Float[Array, " size"]
Rows: TypeAlias = Float[Array, "rows *features"]
Table: TypeAlias = Float[Array, "rows width"]
Out: TypeAlias = Float[Array, "rows units"]
Weights: TypeAlias = Float[Array, " rows"]
Ids: TypeAlias = Integer[Array, " rows"]
Keep: TypeAlias = Bool[Array, "..."]

Samples: TypeAlias = Sequence[int] | Integer[Array, " rows"] | Literal["shared"]
