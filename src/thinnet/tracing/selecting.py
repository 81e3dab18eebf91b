"""Which numbers of a trace are shown: those of some rows, or of one unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from thinnet.arrays import Array, Ids
from thinnet.formulas.quantities import Place, Quantity
from thinnet.network import Network

Axes: TypeAlias = tuple[Array, ...]  # the places along each axis


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that are shown, of those of the batch."""

    ids: Ids
    show: Array

    def own(self, quantity: Quantity) -> bool:
        """Whether each row has numbers of its own."""
        return quantity.by_rows and len(quantity.values) == len(self.ids)

    def axes(self, quantity: Quantity) -> Axes | None:
        found = list(map(np.arange, quantity.shape))
        if self.own(quantity):
            found[0] = np.flatnonzero(np.isin(self.ids, self.show))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class OneUnit:
    """All that has to do with one unit of a layer.

    That is its part of the layer's numbers, of the layers behind as long as they have the same
    units, and the weights that lead away from it.
    """

    rows: Rows
    unit: int
    units: int
    layers: range
    leaving: int | None

    @classmethod
    def of(cls, rows: Rows, network: Network, layer: int, unit: int) -> OneUnit:
        behind = layer + 1
        while behind < len(network.layers) and not _weighs(network, behind):
            behind += 1
        units = _units(network, layer)
        there = behind < len(network.layers)
        return cls(rows, unit, units, range(layer, behind), behind if there else None)

    def axes(self, quantity: Quantity) -> Axes | None:
        found = self.rows.axes(quantity)
        assert found is not None
        if quantity.layer in self.layers and quantity.of_units:
            axis = 1 if quantity.by_rows else 0
        elif quantity.layer == self.leaving and _is_matrix(quantity):
            axis = 1
        else:
            return None
        if len(found) <= axis or quantity.shape[axis] != self.units:
            return found if quantity.layer in self.layers else None
        return (*found[:axis], np.array([self.unit]), *found[axis + 1 :])


Selection: TypeAlias = Rows | OneUnit


def _units(network: Network, layer: int) -> int:
    """The length of the first axis of a layer's outputs."""
    sites = network.sites
    return int((sites[layer + 1].features if layer + 1 < len(sites) else network.out or (1,))[0])


def _weighs(network: Network, layer: int) -> bool:
    """Whether a layer makes units of its own."""
    own = network.layers[layer]
    before, after = network.sites[layer].features, (*network.sites, None)[layer + 1]
    behind = network.out if after is None else after.features
    return hasattr(own, "units") or hasattr(own, "dense") or before != behind


def _is_matrix(quantity: Quantity) -> bool:
    return not quantity.by_rows and quantity.values.ndim == 2


def count(axes: Axes) -> int:
    return math.prod(map(len, axes))


def places(axes: Axes) -> Iterator[Place]:
    """The places in the order of memory."""
    return product(*(axis.tolist() for axis in axes))
