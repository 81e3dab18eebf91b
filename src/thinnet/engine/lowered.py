"""What is lowered, and what comes out: a table of operations, and what it needs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np

from thinnet.arrays import Features, Flat
from thinnet.engine.drawing import Drawings
from thinnet.engine.records import Operation
from thinnet.engine.sides import Sides
from thinnet.layers import Layer
from thinnet.layers.presence import Governors
from thinnet.passes import Site

Pass: TypeAlias = Literal["train", "predict", "draw", "element"]


class Bound(Protocol):
    """What is asked of a network."""

    @property
    def layers(self) -> Sequence[Layer]: ...

    @property
    def sites(self) -> Sequence[Site]: ...

    @property
    def governors(self) -> Sequence[Governors]: ...

    @property
    def features(self) -> Features: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def seed(self) -> int: ...

    @property
    def theta(self) -> Flat: ...

    @property
    def gradient(self) -> Flat: ...

    @property
    def state(self) -> Flat: ...


@dataclass
class Lowered:
    """The operations of a network for one kind of pass, and what they need."""

    drawings: Drawings
    sides: Sides
    operations: list[Operation] = field(default_factory=list)
    columns: int = 0  # of activations, for each row
    slope_columns: int = 0
    statistics: int = 0  # of normalisations, for each unit
    row_statistics: int = 0  # and for each row
    first_noise: int = 0  # the operation before which a sampling pass is the same for all draws
