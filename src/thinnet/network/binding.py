"""Layers bound to a width: flat vectors, and for each layer a site with views into them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, Flat
from thinnet.initializers import as_initializer
from thinnet.layers import Layer, Shapes
from thinnet.layers.base import title, trait
from thinnet.layers.presence import Governors, governors, state_presence
from thinnet.network.parameters import Parameters
from thinnet.passes import Clock, Site
from thinnet.philox import Stream

DEFAULT_RULE = "glorot_uniform"


class Vectors(NamedTuple):
    """The flat vectors of a network: parameters, their gradients, and state."""

    theta: Flat
    gradient: Flat
    state: Flat


class Memory(NamedTuple):
    """What a network's flat vectors are, or are views of."""

    parameters: Parameters
    gradient: Flat
    state: Flat

    def vectors(self) -> Vectors:
        return Vectors(self.parameters.lend(), self.gradient, self.state)


def layer_shapes(layers: Sequence[Layer], features: Features) -> list[Shapes]:
    """The shapes of each layer; an error names the first that doesn't fit."""
    shapes = []
    for i, layer in enumerate(layers):
        try:
            shapes.append(layer.shapes(features))
        except ValueError as error:
            raise ValueError(f"layer {i} of the network: {error}") from None
        features = shapes[-1].out
    return shapes


def _sizes(groups: Iterable[Any]) -> int:
    return sum(math.prod(shape) for group in groups for shape in group)


def blank_memory(shapes: Sequence[Shapes], dtype: np.dtype) -> Memory:
    n_theta = _sizes(s.params for s in shapes)
    n_state = _sizes(s.state for s in shapes) + _sizes(s.counters for s in shapes)
    return Memory(Parameters(n_theta, dtype), np.zeros(n_theta, dtype), np.zeros(n_state, dtype))


def _lending(theta: Parameters, groups: Iterable[Any]) -> Iterator[Callable[[], Any]]:
    """For each of the groups of shapes a function that lends views of its piece of `theta`."""
    start = 0
    for group in groups:
        yield theta.part(start, group)
        start += _sizes([group])


def _cut(vector: Flat, groups: Iterable[Any]) -> Iterator[Any]:
    """Views of consecutive pieces of `vector`, in NamedTuples like the `groups` of shapes."""
    start = 0
    for group in groups:
        views = []
        for shape in group:
            stop = start + math.prod(shape)
            views.append(vector[start:stop].reshape(shape))
            start = stop
        yield type(group)(*views)


def bind(
    layers: Sequence[Layer],
    features: Features,
    shapes: Sequence[Shapes],
    memory: Memory,
    seed: int,
    clock: Clock,
) -> tuple[list[Site], list[Governors]]:
    """A site for each layer, and the shared dropouts that govern it."""
    inputs = [features, *(s.out for s in shapes)]
    n_state = _sizes(s.state for s in shapes)
    pieces = zip(
        _lending(memory.parameters, (s.params for s in shapes)),
        _cut(memory.gradient, (s.params for s in shapes)),
        _cut(memory.state[:n_state], (s.state for s in shapes)),
        _cut(memory.state[n_state:], (s.counters for s in shapes)),
        strict=True,
    )
    ordinals = np.cumsum([trait(layer, "can_draw") for layer in layers])
    sites = [
        Site(
            name=f"layer {i}, {title(layer)}",
            features=inputs[i],
            out=inputs[i + 1],
            lend=lend,
            g=g,
            s=s,
            counters=counters,
            seed=seed,
            ordinal=max(int(ordinals[i]) - 1, 0),
            clock=clock,
        )
        for i, (layer, (lend, g, s, counters)) in enumerate(zip(layers, pieces, strict=True))
    ]
    over = governors(layers, sites)
    for site, governor in zip(sites, over, strict=True):
        site.presence = state_presence(governor, site.out)
    return sites, over


@dataclass(frozen=True, slots=True)
class FirstWeights:
    """A function that makes the first weights of one layer, by the rule `default` or another."""

    seed: int
    position: int
    default: str

    def weights(self, shape: tuple[int, ...], rule: Any = None) -> Array:
        stream = Stream(self.seed, "weights", self.position)
        units, width = shape[0], math.prod(shape[1:])
        return as_initializer(rule or self.default)(stream, units, width).reshape(shape)


def _rule_for(places: Sequence[tuple[Layer, Site]]) -> str:
    """The initialiser for the first activation in `places`, if no weights come before it."""
    for layer, site in places:
        if rule := getattr(layer, "weights_before", None):
            return str(rule)
        if any(w.ndim > 1 for w in site.p):
            break
    return DEFAULT_RULE


def initialise(layers: Sequence[Layer], sites: Sequence[Site], seed: int) -> None:
    """Write first values for every layer; a layer without `initialise` gets random matrices."""
    places = list(zip(layers, sites, strict=True))
    for i, (layer, site) in enumerate(places):
        initial = FirstWeights(seed, i, _rule_for(places[i + 1 :]))
        if hasattr(layer, "initialise"):
            layer.initialise(site, initial)
            continue
        for weights in (w for w in site.p if w.ndim > 1):
            weights[...] = initial.weights(weights.shape)


def checked_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    several = isinstance(layers, Iterable)
    checks.must(several and bool(layers), "layers", "a sequence of at least one layer", layers)
    layers = tuple(layers)
    for i, layer in enumerate(layers):
        checks.must(
            isinstance(layer, Layer) and not isinstance(layer, type),
            f"layers[{i}]",
            "a layer (an object with shapes, forward and backward)",
            layer,
        )
    return layers


def checked_features(features: int | Sequence[int]) -> Features:
    axes = features if isinstance(features, Sequence) else (features,)
    checks.must(len(axes) > 0, "features", "an integer or a sequence of integers", features)
    return tuple(checks.integer("each of features", n, 1) for n in axes)
