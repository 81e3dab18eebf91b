"""The layers of a network that have weights, and the activations behind them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from thinnet.arrays import Array
from thinnet.layers import Flatten
from thinnet.layers.base import Layer, trait
from thinnet.network.bound import Bound
from thinnet.passes import Site

OUTPUT = "output"


class WeightLayer(NamedTuple):
    """A layer with weights.

    `place` is its place in the network, `activation` that of the activation function behind it, or
    its own where there is none.
    """

    name: str
    place: int
    activation: int


def weight_layers(network: Bound) -> list[WeightLayer]:
    """The layers with weights, from input to output: "hidden 1", "hidden 2", ..., "output"."""
    places = list(network.places())
    starts = [i for i, (_, site) in enumerate(places) if _has_weights(site)]
    ends = [*starts, len(places)][1:]
    found = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        behind = [i for i in range(start + 1, end) if _is_activation(*places[i])]
        name = OUTPUT if number == len(starts) else f"hidden {number}"
        found.append(WeightLayer(name, start, behind[-1] if behind else start))
    return found


def weights_of(network: Bound, layer: WeightLayer) -> Array:
    """A copy of a layer's weights, shape (units, inputs)."""
    W = next(w for w in network.sites[layer.place].p if w.ndim > 1)
    return W.reshape(W.shape[0], -1).copy()


def has_parameters(site: Site) -> bool:
    return any(math.prod(g.shape) for g in site.g)


def _has_weights(site: Site) -> bool:
    """Whether a layer has a matrix that makes other units of its inputs."""
    return any(g.ndim > 1 and g.shape != site.out for g in site.g)


def _is_activation(layer: Layer, site: Site) -> bool:
    drawn: Any = trait(layer, "can_draw")
    return not (drawn or has_parameters(site) or isinstance(layer, Flatten))
