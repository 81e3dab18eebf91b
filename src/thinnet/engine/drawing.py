"""How operations draw: which rate, which stream, and which units share a draw."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from thinnet.arrays import Array, Features
from thinnet.engine.records import Drawing
from thinnet.layers import (
    AlphaDropout,
    Columns,
    DropConnect,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from thinnet.passes import Site
from thinnet.philox import PURPOSES, Purpose

NoisyLayer: TypeAlias = (
    Dropout | AlphaDropout | GaussianDropout | GaussianNoise | DropConnect | Columns
)


class Noisy(NamedTuple):
    """A layer that draws; its place in a list is the number of its rate."""

    layer: NoisyLayer
    site: Site


class Drawings:
    """What the layers of a network draw in one kind of pass."""

    def __init__(self, purpose: Purpose) -> None:
        self._purpose = PURPOSES[purpose] << 24
        self.noisy: list[Noisy] = []
        self.maps: list[Array] = []

    def enter(self, drawing: Drawing, layer: NoisyLayer, site: Site) -> None:
        """Note a layer that draws, and say in a record how it does."""
        axes = {axis % len(site.features) for axis in getattr(layer, "share_axes", ())}
        drawn = tuple(1 if a in axes else n for a, n in enumerate(site.features))
        drawing.rate, drawing.stream = len(self.noisy), self._purpose | site.ordinal
        drawing.n_drawn = math.prod(drawn)
        if axes:
            drawing.map = self._map(drawn, site.features)
        if isinstance(layer, Columns):
            drawing.n_drawn = len(layer.columns)
            drawing.map = self._put(_columns_of_inputs(layer))
        self.noisy.append(Noisy(layer, site))

    def _map(self, drawn: Features, features: Features) -> int:
        """Which draw serves each unit."""
        numbers = np.arange(math.prod(drawn), dtype=np.int32).reshape(drawn)
        return self._put(np.broadcast_to(numbers, features).ravel())

    def _put(self, numbers: Array) -> int:
        start = sum(part.size for part in self.maps)
        self.maps.append(numbers)
        return start


def _columns_of_inputs(layer: Columns) -> Array:
    """The column of each input."""
    counts = [each.inputs for each in layer.columns]
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)
