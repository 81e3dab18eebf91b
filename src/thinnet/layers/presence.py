"""The parameters that exist in a step whose masks are shared by the batch.

Unit j of a Dense layer is *present* if every ``Dropout(share="batch")`` that its output meets
before units mix again keeps it; input i, if every such dropout that it has come through does.
All that is absent from a step stays as it was: parameters, optimiser moments, running statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from thinnet import masks
from thinnet.arrays import Array, Features, Float
from thinnet.layers import Columns, Dropout, Layer
from thinnet.layers.base import trait
from thinnet.passes import Run, Site

Place = tuple[Dropout | Columns, Site]


class Governors(NamedTuple):
    """The shared dropouts that decide which inputs and outputs of a layer are present."""

    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]


class Presence(NamedTuple):
    """Whether each entry of a flat vector is present, and with what probability."""

    kept: Bool[Array, " size"]
    probability: Float[Array, " size"]


def governors(layers: Sequence[Layer], sites: Sequence[Site]) -> list[Governors]:
    places = list(zip(layers, sites, strict=True))
    return [
        Governors((*_own(*place), *_behind(places, i)), _ahead(places, i))
        for i, place in enumerate(places)
    ]


def _own(layer: Layer, site: Site) -> tuple[Place, ...]:
    """A layer that drops its own input."""
    return ((layer, site),) if isinstance(layer, Columns) and layer.share == "batch" else ()


def _shared(places: Sequence[tuple[Layer, Site]]) -> tuple[Place, ...]:
    return tuple(
        (layer, site)
        for layer, site in places
        if isinstance(layer, Dropout) and layer.share == "batch"
    )


def _leading_with(places: Sequence[tuple[Layer, Site]], name: str) -> Sequence[tuple[Layer, Site]]:
    """The `places` before the first one that lacks the trait."""
    has = [trait(layer, name, site.features) for layer, site in places]
    return places[: has.index(False)] if False in has else places


def _behind(places: Sequence[tuple[Layer, Site]], i: int) -> tuple[Place, ...]:
    return _shared(_leading_with(places[:i][::-1], "keeps_zero"))


def _ahead(places: Sequence[tuple[Layer, Site]], i: int) -> tuple[Place, ...]:
    return _shared(_leading_with(places[i + 1 :], "unitwise"))


def kept_units(places: Sequence[Place], run: Run, features: Features) -> Bool[Array, "..."]:
    keep = np.ones(math.prod(features), bool)
    for layer, site in places:
        keep &= layer.keep(site, run, 1).ravel()
    return keep.reshape(features)


def _probability(places: Sequence[Place], run: Run) -> float:
    return math.prod(masks.keep_probability(s.rate(layer.rate, run)) for layer, s in places)


def state_presence(over: Governors, out: Features) -> Callable[[Run], Array | None]:
    """A function of a pass: the units whose state a layer may then write, None for all."""
    if not over.outputs:
        return lambda run: None
    return lambda run: kept_units(over.outputs, run, out)


def parameters_present(layer: Any, site: Site, over: Governors, run: Run) -> tuple[Any, Any]:
    """Two NamedTuples of the layer's parameters: which are present, and with what probability."""
    if not (over.inputs or over.outputs) or not hasattr(layer, "present"):
        whole = tuple(np.ones(w.shape) for w in site.p)
        return tuple(w.astype(bool) for w in whole), whole
    inputs = kept_units(over.inputs, run, site.features)
    outputs = kept_units(over.outputs, run, site.out)
    q_in = np.full(site.features, _probability(over.inputs, run))
    q_out = np.full(site.out, _probability(over.outputs, run))
    return layer.present(inputs, outputs), layer.present(q_in, q_out)
