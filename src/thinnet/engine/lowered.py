"""What is lowered, and what comes out: a table of operations, and what it needs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from thinnet.arrays import Features, Flat
from thinnet.engine.drawing import Drawings
from thinnet.engine.records import Operation
from thinnet.engine.sides import Sides
from thinnet.layers import ColumnEncoding, Layer
from thinnet.layers.presence import Governors
from thinnet.passes import Site

Pass: TypeAlias = Literal["train", "predict", "draw", "element"]


class Parameters(Protocol):
    """Weights, and a version of theirs that moves whenever they may have been written to."""

    @property
    def values(self) -> Flat: ...

    @property
    def version(self) -> int: ...

    def settled(self) -> int | None: ...


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
    def out(self) -> Features: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def seed(self) -> int: ...

    @property
    def theta(self) -> Flat: ...

    @property
    def parameters(self) -> Parameters: ...

    @property
    def gradient(self) -> Flat: ...

    @property
    def state(self) -> Flat: ...


VECTOR: Final = 16  # numbers, whose multiples rows and panels are filled up to


def padded(n: int) -> int:
    return -(-n // VECTOR) * VECTOR


def stride_of(n: int) -> int:
    """Numbers from one row of n to the next, where rows are filled up to whole vectors.

    Rows whose distance is a large power of two would share few places in the caches.
    """
    return padded(n) + VECTOR if padded(n) % 256 == 0 else padded(n)


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
    encodings: tuple[ColumnEncoding, ...] = ()  # of the columns that are looked up
    first_noise: int = 0  # the operation before which a sampling pass is the same for all draws
