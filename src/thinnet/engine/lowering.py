"""A bound network as a table of operations, neighbours fused.

Dense, bias, activation and dropout become a product and one sweep over its rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from thinnet.arrays import Array
from thinnet.engine import opcodes as code
from thinnet.engine.drawing import Drawings, NoisyLayer
from thinnet.engine.kernels.activations import ACTIVATIONS
from thinnet.engine.kernels.normalisation import PARTS
from thinnet.engine.lookups import looks_up, n_terms
from thinnet.engine.lowered import Bound, Lowered, Pass, stride_of
from thinnet.engine.records import Operation
from thinnet.engine.sides import Sides
from thinnet.engine.thinning import INPUT, gaps, is_shared, thin_out
from thinnet.layers import (
    AlphaDropout,
    BatchNorm,
    Columns,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    Layer,
    LayerNorm,
    Softmax,
)
from thinnet.layers.presence import Place
from thinnet.passes import Site

NOISES: dict[type, int] = {
    Dropout: code.MASK,
    AlphaDropout: code.MASK,
    GaussianDropout: code.TIMES_NORMAL,
    GaussianNoise: code.PLUS_NORMAL,
}
NO_OPERATION: tuple[type, ...] = (Identity, Flatten)  # rows stay as they lie


def not_lowered(network: Bound) -> list[int]:
    """The places of the layers that compiled code does not know."""
    places, first = enumerate(zip(network.layers, network.sites, strict=True)), looks_up(network)
    return [i for i, (layer, site) in places if not (_is_known(layer, site) or (first and i == 0))]


def _is_known(layer: Layer, site: Site) -> bool:
    if type(layer) is BatchNorm:
        return layer.axis % len(site.features) == len(site.features) - 1
    known = (*ACTIVATIONS, *NOISES, *NO_OPERATION, Dense, DropConnect, LayerNorm, Softmax)
    return type(layer) in known


def lower(network: Bound, kind: Pass, sparse: bool = False) -> Lowered:
    """The operations of a network whose layers are all known, from input to output.

    `sparse`: the first product reads the entries of sparse rows (`sparse_input.pays`).
    """
    return _Lowering(network, kind, sparse).result


class _Lowering:
    def __init__(self, network: Bound, kind: Pass, sparse: bool) -> None:
        self.network, self.kind = network, kind
        self._drawings = Drawings("train" if kind == "train" else "predict")
        self._sides = Sides(self._drawings)
        self.result = Lowered(self._drawings, self._sides)
        self._gaps = gaps(network, kind, sparse)
        self._started = False  # has a sampling pass met its first noise?
        self._gather(math.prod(network.features), sparse, looks_up(network))
        for i, (layer, site) in enumerate(zip(network.layers, network.sites, strict=True)):
            if type(layer) not in NO_OPERATION:
                self._lower(i, layer, site)
        self._thin_out()

    def _gather(self, n: int, sparse: bool, looks_up: bool) -> None:
        y = 0 if sparse or looks_up else self._column(n)
        self._add(
            Operation(
                kind=code.GATHER, layer=INPUT, n_in=n, n_out=n, y=y,
                sparse=sparse or looks_up, lookups=n if looks_up else 0,
            )
        )  # fmt: skip

    @property
    def _last(self) -> Operation:
        return self.result.operations[-1]

    def _column(self, n: int) -> int:
        start = self.result.columns
        self.result.columns += stride_of(n)
        return start

    def _add(self, operation: Operation) -> None:
        self.result.operations.append(operation)

    def _lower(self, i: int, layer: Layer, site: Site) -> None:
        if type(layer) in ACTIVATIONS:
            self._activation(i, layer)
        elif isinstance(layer, Dense):
            self._dense(i, layer, site)
        elif isinstance(layer, Columns):
            self._columns(i, layer, site)
        elif isinstance(layer, DropConnect):
            self._dropconnect(i, layer, site)
        elif isinstance(layer, NoisyLayer):
            self._noise(i, layer, site)
        elif isinstance(layer, BatchNorm):
            self._batch_norm(i, layer, site)
        elif isinstance(layer, LayerNorm):
            self._layer_norm(i, layer, site)
        else:
            self._softmax(i, site)

    def _new_output(self, in_place: bool, n: int) -> int:
        return self._last.y if in_place else self._column(n)

    def _keeps_output(self) -> bool:
        """Does the last operation need its output for its backward pass?"""
        by_output = self._last.activation != code.IDENTITY and not self._last.by_input
        return self._last.kind == code.SOFTMAX or by_output

    def _elementwise(self, i: int, by_input: bool, bias: int = code.NO_PLACE) -> None:
        n, x = self._last.n_out, self._last.y
        y = self._new_output(not (by_input or self._keeps_output()), n)
        self._add(
            Operation(
                kind=code.ELEMENTWISE, layer=i, n_in=n, n_out=n, x=x, y=y, bias=bias,
                by_input=by_input,
            )
        )  # fmt: skip

    def _activation(self, i: int, layer: Layer) -> None:
        activation = ACTIVATIONS[type(layer)]
        a = float(getattr(layer, "slope", getattr(layer, "alpha", 0.0)))
        # A negative slope turns the sign, by which the output would tell on which side it was.
        by_input = activation.by_input or (activation.code == code.LEAKY and a < 0)
        last = self._last
        if last.kind == code.ELEMENTWISE and last.bias >= 0 and self._is_plain(last):
            if by_input:
                last.y = self._column(last.n_out)
            last.by_input = by_input
        else:
            self._elementwise(i, by_input)
        self._last.activation, self._last.a = activation.code, a

    def _is_plain(self, op: Operation) -> bool:
        return op.activation == code.IDENTITY and op.noise == code.NO_NOISE

    def _noise(self, i: int, layer: NoisyLayer, site: Site) -> None:
        first = not self._started and self.kind in ("draw", "element") and not self._last.sparse
        self._started = True
        if not self._joins(layer) or first:
            self._elementwise(i, by_input=False)
        if first:  # what comes before is computed once for many draws, and must stay
            self._last.y = self._column(self._last.n_out)
            self.result.first_noise = len(self.result.operations) - 1
        self._last.noise, self._last.shifts = NOISES[type(layer)], type(layer) is AlphaDropout
        self._drawings.enter(self._last, layer, site)
        self._last.shared = is_shared(layer, self.kind)

    def _joins(self, layer: Layer) -> bool:
        """May the noise stand in the same sweep as the activation before it?"""
        op = self._last
        if op.sparse:
            return True
        if op.kind != code.ELEMENTWISE or op.noise != code.NO_NOISE:
            return False
        return type(layer) is Dropout or bool(op.by_input) or op.activation == code.IDENTITY

    def _at(self, view: Array, vector: Array) -> int:
        """Where a view starts in its vector."""
        return (view.ctypes.data - vector.ctypes.data) // vector.itemsize

    def _parameters(self, first: Array, second: Array) -> dict[str, int]:
        theta = self.network.theta
        return {"weights": self._at(first, theta), "bias": self._at(second, theta)}

    def _columns(self, i: int, layer: Columns, site: Site) -> None:
        gather = self._last
        if layer.rate != 0 and self.kind != "predict":
            self._started, gather.noise = True, code.MASK
            self._drawings.enter(gather, layer, site)
            gather.shared = is_shared(layer, self.kind)
        gather.n_out = layer.inputs
        self._dense(i, layer.dense, site)
        product = self.result.operations[-2]
        product.lookups, product.n_terms = gather.lookups, n_terms(layer.columns)
        self.result.encodings = layer.columns

    def _dense(self, i: int, dense: Dense, site: Site) -> None:
        over, n_in, n_out = self.network.governors[i], self._last.n_out, dense.units
        self._add(
            Operation(
                kind=code.DENSE, layer=i, n_in=n_in, n_out=n_out,
                x=self._last.y, y=self._column(n_out), **self._parameters(site.p.W, site.p.b),
                l1=dense.l1, l2=dense.l2, bias_l1=dense.bias_l1, bias_l2=dense.bias_l2,
                max_norm=math.inf if dense.max_norm is None else dense.max_norm,
                side_in=self._side(over.inputs, n_in), side_out=self._side(over.outputs, n_out),
                sparse=self._last.kind == code.GATHER and self._last.sparse,
            )
        )  # fmt: skip
        self._elementwise(i, by_input=False, bias=self._last.bias)

    def _dropconnect(self, i: int, layer: DropConnect, site: Site) -> None:
        self._dense(i, layer.dense, site)
        if self.kind == "predict":
            return
        product = len(self.result.operations) - 2
        if not self._started:
            self.result.first_noise = product
        self._started = True
        op = self.result.operations[product]
        self._drawings.enter(op, layer, site)
        op.dropped, op.shared, op.n_drawn = 1, 1, site.p.W.size

    def _batch_norm(self, i: int, layer: BatchNorm, site: Site) -> None:
        n, units, state = self._last.n_out, site.features[-1], self.network.state
        alone = len(site.features) == 1  # units do not share their statistics
        outputs = self.network.governors[i].outputs if alone else ()
        self._add(
            Operation(
                kind=code.BATCH_NORM, layer=i, n_in=n, n_out=n, x=self._last.y, y=self._column(n),
                n_units=units, groups=n // units, **self._parameters(site.p.gamma, site.p.beta),
                state=self._at(site.s.mean, state), counters=self._at(site.counters.seen, state),
                statistics=self.result.statistics, side_out=self._side(outputs, n),
                epsilon=layer.epsilon, momentum=layer.momentum,
            )
        )  # fmt: skip
        self.result.statistics += PARTS * units

    def _layer_norm(self, i: int, layer: LayerNorm, site: Site) -> None:
        n, outputs = self._last.n_out, self.network.governors[i].outputs
        self._add(
            Operation(
                kind=code.LAYER_NORM, layer=i, n_in=n, n_out=n, x=self._last.y, y=self._column(n),
                n_units=n, **self._parameters(site.p.gamma, site.p.beta),
                statistics=self.result.row_statistics,  # in rows; behind those of units
                side_out=self._side(outputs, n), epsilon=layer.epsilon,
            )
        )  # fmt: skip
        self.result.row_statistics += 2

    def _softmax(self, i: int, site: Site) -> None:
        n, units = self._last.n_out, site.features[-1]
        x, y = self._last.y, self._new_output(not self._keeps_output(), n)
        self._add(
            Operation(
                kind=code.SOFTMAX, layer=i, n_in=n, n_out=n, x=x, y=y,
                n_units=units, groups=n // units,
            )
        )  # fmt: skip

    def _side(self, governors: Sequence[Place], width: int) -> int:
        """The side that these dropouts govern; only training asks."""
        return self._sides.number(governors, width) if self.kind == "train" else 0

    def _thin_out(self) -> None:
        for gap in self._gaps:
            width = self.network.sites[gap.dropout].features[0]
            side, start = self._sides.number([gap.governor], width), gap.before
            first_noise = self.result.operations[self.result.first_noise]
            if self.kind == "draw" and first_noise.layer == gap.dropout:
                start = gap.dropout  # what comes before is whole, for all draws
                first_noise.compresses = 1
            thin_out(self.result.operations, start, gap.behind, side)
