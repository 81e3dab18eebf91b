"""A bound network as a table of operations, neighbours fused.

Dense, bias, activation and dropout become a product and one sweep over its rows.  A shared dropout
between two Dense layers makes a *thin* gap: what it drops is not computed at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.kernels.normalisation import PARTS
from thinnet.engine.records import INTEGERS, REALS
from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thinnet.layers.base import trait
from thinnet.passes import Site
from thinnet.philox import PURPOSES
from thinnet.schedules import Schedule

Pass: TypeAlias = Literal["train", "predict", "draw", "element"]

ACTIVATIONS: dict[type, int] = {
    ReLU: code.RELU,
    LeakyReLU: code.LEAKY,
    ELU: code.ELU,
    SELU: code.SELU,
    GELU: code.GELU,
    SiLU: code.SILU,
    Softplus: code.SOFTPLUS,
    Tanh: code.TANH,
    Sigmoid: code.SIGMOID,
}
BY_OUTPUT = {code.IDENTITY, code.RELU, code.LEAKY, code.TANH, code.SIGMOID}
NOISES: dict[type, int] = {
    Dropout: code.MASK,
    AlphaDropout: code.MASK,
    GaussianDropout: code.TIMES_NORMAL,
    GaussianNoise: code.PLUS_NORMAL,
}
NO_OPERATION: tuple[type, ...] = (Identity, Flatten)  # rows stay as they lie

# Thinning moves what is kept of W together, and its gradient apart again.  That pays where
# products are large against it, and where enough is dropped.
WORTH_THINNING = 2**14  # weights of a layer
LEAST_RATE = 0.1


class Bound(Protocol):
    """What is asked of a network."""

    @property
    def layers(self) -> Sequence[Any]: ...

    @property
    def sites(self) -> Sequence[Site]: ...

    @property
    def governors(self) -> Sequence[Any]: ...

    @property
    def vectors(self) -> Any: ...

    @property
    def features(self) -> tuple[int, ...]: ...


class Noisy(NamedTuple):
    """A layer that draws; its place in a list is the number of its rate."""

    layer: Any
    site: Site


@dataclass
class Lowered:
    """The tables of a network for one kind of pass, still as lists, and what they need."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    votes: list[dict[str, int]] = field(default_factory=list)
    maps: list[Array] = field(default_factory=list)
    sides: list[int] = field(default_factory=lambda: [0])  # how wide each is
    noisy: list[Noisy] = field(default_factory=list)
    columns: int = 0  # of activations, for each row
    slope_columns: int = 0
    statistics: int = 0  # of normalisations, for each unit
    row_statistics: int = 0  # and for each row
    first_noise: int = 0  # the operation before which a sampling pass is the same for all draws


def not_lowered(network: Bound) -> list[int]:
    """The places of the layers that compiled code does not know."""
    places = enumerate(zip(network.layers, network.sites, strict=True))
    return [i for i, (layer, site) in places if not _is_known(layer, site)]


def _is_known(layer: Any, site: Site) -> bool:
    if type(layer) is BatchNorm:
        return layer.axis % len(site.features) == len(site.features) - 1
    known = (*ACTIVATIONS, *NOISES, *NO_OPERATION, Dense, DropConnect, LayerNorm, Softmax)
    return type(layer) in known


def lower(network: Bound, kind: Pass) -> Lowered:
    """The operations of a network whose layers are all known, from input to output."""
    return _Lowering(network, kind).result


class _Lowering:
    def __init__(self, network: Bound, kind: Pass) -> None:
        self.network, self.kind, self.result = network, kind, Lowered()
        self._sides: dict[Any, int] = {(): 0}
        self._purpose = PURPOSES["train" if kind == "train" else "predict"] << 24
        self._gaps = self._thin_gaps()
        self._started = False  # has a sampling pass met its first noise?
        n = math.prod(network.features)
        self._add(kind=code.GATHER, layer=code.NO_PLACE, n_in=n, n_out=n, y=self._column(n))
        for i, (layer, site) in enumerate(zip(network.layers, network.sites, strict=True)):
            if type(layer) not in NO_OPERATION:
                self._lower(i, layer, site)
        self._thin_out()

    @property
    def _last(self) -> dict[str, Any]:
        return self.result.operations[-1]

    def _column(self, n: int) -> int:
        start = self.result.columns
        self.result.columns += n
        return start

    def _add(self, **values: Any) -> None:
        blank = dict.fromkeys(INTEGERS, 0) | dict.fromkeys(REALS, 0.0)
        nowhere = dict.fromkeys(("weights", "bias", "state", "counters", "map"), code.NO_PLACE)
        self.result.operations.append({**blank, **nowhere, "max_norm": math.inf, **values})

    def _lower(self, i: int, layer: Any, site: Site) -> None:
        if type(layer) in ACTIVATIONS:
            self._activation(i, layer)
        elif type(layer) in NOISES:
            self._noise(i, layer, site)
        elif isinstance(layer, Dense):
            self._dense(i, layer, layer, site)
        elif isinstance(layer, DropConnect):
            self._dense(i, layer, layer.dense, site)
        elif isinstance(layer, BatchNorm):
            self._batch_norm(i, layer, site)
        elif isinstance(layer, LayerNorm):
            self._layer_norm(i, layer, site)
        else:
            self._softmax(i, site)

    def _new_output(self, in_place: bool, n: int) -> int:
        return int(self._last["y"]) if in_place else self._column(n)

    def _keeps_output(self) -> bool:
        """Does the last operation need its output for its backward pass?"""
        by_output = self._last["activation"] != code.IDENTITY and not self._last["by_input"]
        return self._last["kind"] == code.SOFTMAX or by_output

    def _elementwise(self, i: int, by_input: bool, bias: int = code.NO_PLACE) -> None:
        n, x = self._last["n_out"], self._last["y"]
        y = self._new_output(not (by_input or self._keeps_output()), n)
        self._add(
            kind=code.ELEMENTWISE, layer=i, n_in=n, n_out=n, x=x, y=y, bias=bias, by_input=by_input
        )

    def _activation(self, i: int, layer: Any) -> None:
        number = ACTIVATIONS[type(layer)]
        a = float(getattr(layer, "slope", getattr(layer, "alpha", 0.0)))
        by_input = number not in BY_OUTPUT or (number == code.LEAKY and a < 0)
        last = self._last
        if last["kind"] == code.ELEMENTWISE and last["bias"] >= 0 and self._is_plain(last):
            if by_input:
                last.update(y=self._column(last["n_out"]))
            last.update(by_input=by_input)
        else:
            self._elementwise(i, by_input)
        self._last.update(activation=number, a=a)

    def _is_plain(self, op: dict[str, Any]) -> bool:
        return op["activation"] == code.IDENTITY and op["noise"] == code.NO_NOISE

    def _noise(self, i: int, layer: Any, site: Site) -> None:
        first = not self._started and self.kind in ("draw", "element")
        self._started = True
        if not self._joins(layer) or first:
            self._elementwise(i, by_input=False)
        if first:  # what comes before is computed once for many draws, and must stay
            self._last.update(y=self._column(self._last["n_out"]))
            self.result.first_noise = len(self.result.operations) - 1
        shifts = int(type(layer) is AlphaDropout)
        self._last.update(noise=NOISES[type(layer)], shifts=shifts, **self._drawing(layer, site))

    def _joins(self, layer: Any) -> bool:
        """May the noise stand in the same sweep as the activation before it?"""
        op = self._last
        if op["kind"] != code.ELEMENTWISE or op["noise"] != code.NO_NOISE:
            return False
        return type(layer) is Dropout or op["by_input"] or op["activation"] == code.IDENTITY

    def _drawing(self, layer: Any, site: Site) -> dict[str, int]:
        """How an operation draws: its rate, its stream, what shares it."""
        self.result.noisy.append(Noisy(layer, site))
        axes = {axis % len(site.features) for axis in getattr(layer, "share_axes", ())}
        drawn = tuple(1 if a in axes else n for a, n in enumerate(site.features))
        return {
            "rate": len(self.result.noisy) - 1,
            "stream": self._purpose | site.ordinal,
            "shared": self._is_shared(layer),
            "n_drawn": math.prod(drawn),
            "map": self._map(drawn, site.features) if axes else code.NO_PLACE,
        }

    def _is_shared(self, layer: Any) -> bool:
        return self.kind == "draw" or getattr(layer, "share", None) == "batch"

    def _map(self, drawn: tuple[int, ...], features: tuple[int, ...]) -> int:
        """Which draw serves each unit."""
        numbers = np.arange(math.prod(drawn), dtype=np.int32).reshape(drawn)
        start = sum(part.size for part in self.result.maps)
        self.result.maps.append(np.broadcast_to(numbers, features).ravel())
        return start

    def _at(self, view: Array, vector: Array) -> int:
        """Where a view starts in its vector."""
        return (view.ctypes.data - vector.ctypes.data) // vector.itemsize

    def _parameters(self, first: Array, second: Array) -> dict[str, int]:
        theta = self.network.vectors.theta
        return {"weights": self._at(first, theta), "bias": self._at(second, theta)}

    def _dense(self, i: int, layer: Any, dense: Dense, site: Site) -> None:
        x, n_in = self._last["y"], self._last["n_out"]
        over, places = self.network.governors[i], self._parameters(site.p.W, site.p.b)
        dropped = isinstance(layer, DropConnect) and self.kind != "predict"
        penalties = {name: getattr(dense, name) for name in ("l1", "l2", "bias_l1", "bias_l2")}
        self._add(
            kind=code.DENSE, layer=i, n_in=n_in, n_out=dense.units, x=x,
            y=self._column(dense.units), **places, **penalties,
            max_norm=math.inf if dense.max_norm is None else dense.max_norm,
            side_in=self._side(over.inputs, n_in), side_out=self._side(over.outputs, dense.units),
        )  # fmt: skip
        if dropped:
            if not self._started:
                self.result.first_noise = len(self.result.operations) - 1
            self._started = True
            drawing = self._drawing(layer, site) | {"n_drawn": site.p.W.size, "shared": 1}
            self._last.update(dropped=1, **drawing)
        self._elementwise(i, by_input=False, bias=places["bias"])

    def _batch_norm(self, i: int, layer: BatchNorm, site: Site) -> None:
        n, units = self._last["n_out"], site.features[-1]
        state = self.network.vectors.state
        alone = len(site.features) == 1  # units do not share their statistics
        outputs = self.network.governors[i].outputs if alone else ()
        self._add(
            kind=code.BATCH_NORM, layer=i, n_in=n, n_out=n, x=self._last["y"], y=self._column(n),
            n_units=units, groups=n // units, **self._parameters(site.p.gamma, site.p.beta),
            state=self._at(site.s.mean, state), counters=self._at(site.counters.seen, state),
            statistics=self.result.statistics, side_out=self._side(outputs, n),
            epsilon=layer.epsilon, momentum=layer.momentum,
        )  # fmt: skip
        self.result.statistics += PARTS * units

    def _layer_norm(self, i: int, layer: LayerNorm, site: Site) -> None:
        n = self._last["n_out"]
        self._add(
            kind=code.LAYER_NORM, layer=i, n_in=n, n_out=n, x=self._last["y"], y=self._column(n),
            n_units=n, **self._parameters(site.p.gamma, site.p.beta),
            statistics=self.result.row_statistics,  # in rows; behind those of units
            side_out=self._side(self.network.governors[i].outputs, n), epsilon=layer.epsilon,
        )  # fmt: skip
        self.result.row_statistics += 2

    def _softmax(self, i: int, site: Site) -> None:
        n, units = self._last["n_out"], site.features[-1]
        x, y = self._last["y"], self._new_output(not self._keeps_output(), n)
        self._add(
            kind=code.SOFTMAX, layer=i, n_in=n, n_out=n, x=x, y=y, n_units=units, groups=n // units
        )

    def _side(self, votes: Sequence[Any], width: int) -> int:
        """The number of the side over which these dropouts vote; only training asks."""
        if self.kind != "train":
            return 0
        return self._side_of(votes, width)

    def _side_of(self, places: Sequence[Any], width: int) -> int:
        key = tuple(site.ordinal for _, site in places)
        if key not in self._sides:
            self._sides[key] = len(self.result.sides)
            self.result.sides.append(width)
            for layer, site in places:
                drawing = self._drawing(layer, site)
                vote = {name: drawing[name] for name in ("rate", "stream", "n_drawn", "map")}
                self.result.votes.append({"side": self._sides[key], **vote})
        return self._sides[key]

    def _thin_gaps(self) -> dict[int, tuple[int, int]]:
        """For each dropout that is thinned: the layers that produce and consume what it drops."""
        found = {}
        for i, layer in enumerate(self.network.layers):
            if self.kind in ("train", "draw") and self._is_thinnable(layer, i):
                before, behind = self._walk(i, -1), self._walk(i, 1)
                if before is not None and behind is not None and self._pays(before, behind):
                    found[i] = (before, behind)
        return found

    def _is_thinnable(self, layer: Any, i: int) -> bool:
        plain = type(layer) is Dropout and self._is_shared(layer) and not layer.share_axes
        return (
            plain and len(self.network.sites[i].features) == 1 and _least(layer.rate) >= LEAST_RATE
        )

    def _walk(self, i: int, step: int) -> int | None:
        """The Dense layer nearest to dropout i, or the input (-1), past what keeps units apart.

        Behind the dropout zero must stay zero too.
        """
        i += step
        while 0 <= i < len(self.network.layers):
            layer, site = self.network.layers[i], self.network.sites[i]
            if type(layer) is Dense:
                return i
            passes = trait(layer, "unitwise", site.features) and type(layer) not in NOISES
            if not passes or (step > 0 and not trait(layer, "keeps_zero")):
                return None
            i += step
        return -1 if step < 0 else None

    def _pays(self, before: int, behind: int) -> bool:
        """A rule in shape and rate alone, so that the same network is always computed alike."""
        around = [self.network.sites[i].p.W.size for i in (before, behind) if i >= 0]
        return max(around) >= WORTH_THINNING

    def _thin_out(self) -> None:
        """Mark the operations of each gap as thin."""
        for i, (before, behind) in self._gaps.items():
            layer, site = self.network.layers[i], self.network.sites[i]
            side = self._side_of(((layer, site),), site.features[0])
            start = before
            if self._is_first_noise(i):  # what comes before is whole, for all draws
                start = i
                self.result.operations[self.result.first_noise].update(compresses=1)
            for op in self.result.operations:
                if start <= op["layer"] < behind:
                    op.update(thin_out=1, side_out=side)
                if op["layer"] == behind and op["kind"] == code.DENSE:
                    op.update(thin_in=1, side_in=side)

    def _is_first_noise(self, i: int) -> bool:
        op = self.result.operations[self.result.first_noise]
        return self.kind == "draw" and bool(op["layer"] == i)


def _least(rate: Any) -> float:
    """The lowest rate that a schedule gives where it begins and ends."""
    if not isinstance(rate, Schedule):
        return float(rate)
    return min(rate.at(0), rate.at(getattr(rate, "n_steps", 0)))
