"""The parts of a trace, and quantities made of flat vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from thinnet.arrays import Flat
from thinnet.formulas.naming import Name, text
from thinnet.formulas.quantities import Kind, Quantity
from thinnet.network import Network

Phase: TypeAlias = Literal["forward", "loss", "backward", "update"]
ByLayer: TypeAlias = list[list[Quantity]]


@dataclass(eq=False, slots=True)
class Section:
    """A part of a trace: a layer forward or backward, the loss, a part of the update.

    Attributes
    ----------
    phase : {"forward", "loss", "backward", "update"}
    title : str
    quantities : list of Quantity
    """

    phase: Phase
    title: str
    quantities: list[Quantity] = field(default_factory=list)


def views_of(network: Network, flat: Flat) -> list[Any]:
    """Each site's part of a flat vector, as copies in the NamedTuple of its parameters."""
    before = network.theta.copy()
    network.theta[:] = flat
    found = [type(site.p)(*map(np.array, site.p)) if site.p else () for site in network.sites]
    network.theta[:] = before
    return found


def by_layer(network: Network, flat: Flat, kind: Kind, word: str = "", mark: str = "") -> ByLayer:
    """A quantity for each layer's parameters; `word` stands before their names, `mark` behind."""
    return [
        [
            Quantity(_name(Name(name, str(i)), word, mark), values, kind, i)
            for name, values in (zip(views._fields, views, strict=True) if views else ())
        ]
        for i, views in enumerate(views_of(network, flat))
    ]


def _name(parameter: Name, word: str, mark: str) -> Name:
    return Name(word, text(parameter), mark=mark) if word else parameter._replace(mark=mark)


def together(*lists: ByLayer) -> Iterator[tuple[Quantity, ...]]:
    """The quantities of the same parameters, through all layers."""
    for layers in zip(*lists, strict=True):
        yield from zip(*layers, strict=True)
