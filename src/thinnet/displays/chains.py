"""A network as stages of units and the weights between them, with the masks of one pass."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Rows
from thinnet.layers import Columns, DropConnect, Layer
from thinnet.layers.encodings import expanded, inputs_of
from thinnet.network import Network
from thinnet.passes import Run, Site


@dataclass
class Stage:
    """Units in one place of a chain: the input, or what a layer with weights makes.

    Parameters
    ----------
    name : str
        "input", "hidden 1", ..., "output".
    dropped : bool array, shape (units,)
        The units that the pass drops.
    responses : array, shape (units, rows), or None
        What each unit hands on, for some rows.
    """

    name: str
    dropped: Array
    responses: Array | None = None

    @property
    def units(self) -> int:
        return len(self.dropped)


@dataclass
class Weights:
    """The weights between two stages.

    Parameters
    ----------
    values : array, shape (units, inputs), or None
        None where a layer that is no affine map leads from one stage to the next.
    dropped : bool array, shape (units, inputs)
        The weights that the pass drops, or that lead from or to a dropped unit.
    layer : int
        The layer's place in `layers`.
    """

    values: Array | None
    dropped: Array
    layer: int


@dataclass
class Chain:
    """The stages of a network, and the weights between each and the next."""

    stages: list[Stage]
    weights: list[Weights] = field(default_factory=list)

    @property
    def largest(self) -> float:
        """The largest size of a weight; 1 if there is none."""
        known = (each.values for each in self.weights if each.values is not None)
        return float(max((np.abs(values).max() for values in known), default=0.0)) or 1.0

    def only(self, layers: Any) -> Chain:
        """The chain without the weights of other layers; ValueError for one without weights."""
        there = [each.layer for each in self.weights if each.values is not None]
        allowed = f"places of layers with weights, some of {', '.join(map(str, there))}"
        fits = isinstance(layers, list | tuple) and len(layers) > 0
        fits = fits and all(checks.is_integer(one) and one in there for one in layers)
        checks.must(fits, "layers", allowed, layers)
        shown = [
            each if each.layer in layers else Weights(None, each.dropped, each.layer)
            for each in self.weights
        ]
        return Chain(self.stages, shown)


class Moment(NamedTuple):
    """The pass whose masks are shown: a row of a training step, or a draw; or neither."""

    step: int | None = None
    sample: int | None = None
    draw: int | None = None

    def checked(self, network: Network) -> Moment:
        """Itself, with a row of the step where none is given."""
        step, sample, draw = self
        if step is None:
            checks.must(sample is None, "sample", "None without step", sample)
        else:
            checks.must(draw is None, "draw", "None with step", draw)
            checks.integer("step", step, 0)
        if draw is not None:
            checks.integer("draw", draw, 0)
        if step is None or sample is not None:
            return self
        return self._replace(sample=_first_row(network, step))

    def masks(self, network: Network) -> dict[int, Array]:
        """The masks by layers' numbers, each for one row; none where no pass is asked for.

        Raises
        ------
        ValueError
            If the network's layers drop no units, or a coordinate is out of its range.
        """
        if self.draw is not None:
            found = network.masks(step=self.draw, share="batch", purpose="predict")
        elif self.step is not None:
            found = network.masks(step=self.step, samples=[self.sample or 0])
        else:
            return {}
        name, value = ("draw", self.draw) if self.step is None else ("step", self.step)
        checks.must(bool(found), name, "None for a network whose layers drop no units", value)
        return found

    def run(self, rows: int) -> Run:
        """The pass itself, with these masks for each of the rows, and running statistics."""
        if self.draw is not None:
            return Run.sample(self.draw, share="batch")
        if self.step is None:
            return Run.predict()
        ids = Run.train(self.step, [self.sample or 0] * rows).ids
        return Run(draws=True, learns=False, purpose="train", step=self.step, ids=ids)


def _first_row(network: Network, step: int) -> int:
    """The first row of a training step; 0 where its rows are not known."""
    try:
        return int(network.rows(step)[0])
    except ValueError:
        return 0


def chain_of(network: Network, moment: Moment, rows: Rows | None = None) -> Chain:
    """The stages of a network in a pass, with their responses to some rows."""
    masks = moment.masks(network)
    outputs = None if rows is None else _outputs(network, moment, rows)
    chain = Chain([Stage("input", np.zeros(math.prod(network.features), bool))])
    if outputs is not None:
        chain.stages[0].responses = _by_unit(outputs[0])
    for place, (layer, site) in enumerate(network.places()):
        kept = masks.get(site.ordinal) if hasattr(layer, "keep") else None
        _extend(chain, place, layer, site, kept)
        if outputs is not None:
            chain.stages[-1].responses = _by_unit(outputs[place + 1])
            if place == 0 and isinstance(layer, Columns):
                made = expanded(layer.columns, outputs[0])
                chain.stages[0].responses = made.T * ~chain.stages[0].dropped[:, None]
    _name(chain)
    _drop_between(chain)
    return chain


def _extend(chain: Chain, place: int, layer: Layer, site: Site, kept: Array | None) -> None:
    """Add a layer: a new stage if it mixes units, and what it drops."""
    if isinstance(layer, Columns):
        chain.stages[-1].dropped = np.zeros(layer.inputs, bool)
        kept = None if kept is None else kept[:, inputs_of(layer.columns).slots]
    by_weight = isinstance(layer, DropConnect)
    if kept is not None and not by_weight:
        chain.stages[-1].dropped |= ~kept[0].ravel()
    inputs, units = chain.stages[-1].units, math.prod(site.out)
    values = weights_of(site, units, inputs)
    if values is None and units == inputs:
        return
    dropped = np.zeros((units, inputs), bool)
    if kept is not None and by_weight:
        dropped |= ~kept
    chain.weights.append(Weights(values, dropped, place))
    chain.stages.append(Stage("", np.zeros(units, bool)))


def weights_of(site: Site, units: int, inputs: int) -> Array | None:
    """A copy of the first parameter of a layer that has a number for each unit and input."""
    shapes = (units, inputs)
    fitting = [p for p in site.p if np.shape(p) == shapes]
    return np.array(fitting[0], np.float64) if fitting else None


def _drop_between(chain: Chain) -> None:
    """Drop the weights from and to dropped units."""
    for before, each, behind in zip(
        chain.stages[:-1], chain.weights, chain.stages[1:], strict=True
    ):
        each.dropped |= before.dropped[None, :] | behind.dropped[:, None]


def _name(chain: Chain) -> None:
    for place, stage in enumerate(chain.stages[1:], start=1):
        stage.name = "output" if place == len(chain.stages) - 1 else f"hidden {place}"


def _outputs(network: Network, moment: Moment, rows: Any) -> list[Rows]:
    """The rows, and the output of each layer for them; the network stays as it is."""
    own = copy.deepcopy(network)
    if moment.step is not None:  # rates are those of the step
        own.layers, own.clock.step = tuple(own.layers_at(moment.step)), moment.step
    x = own.entering(rows)
    own.check_encoded(x)
    found = [np.array(x)]
    own.forward(x, moment.run(len(x)), lambda site, y: found.append(np.array(y)))
    return found


def _by_unit(values: Rows) -> Array:
    return np.asarray(values, np.float64).reshape(len(values), -1).T
