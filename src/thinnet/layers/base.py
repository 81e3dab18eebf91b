"""The protocol of a layer: a frozen description with three methods.

Optional class variables state what a network may rely on (all False by default):

``can_draw``    it has random numbers in some pass, and so takes a stream of its own;
``unitwise``    unit j of a row's output depends on unit j of its input alone (and on the batch);
                may be a method of the features, where it depends on them;
``keeps_zero``  a unit that is zero for all rows stays zero;
``mixes_rows``  a learning pass needs at least two rows.

Optional methods: ``initialise(site, initial)`` writes the first values into ``site.p`` and
``site.s``; ``present(inputs, outputs)`` returns which parameters exist where only some inputs and
outputs do (docs/thinned-training.md); ``keep(site, run, rows)`` returns the mask of a pass;
``check_encoded(x)`` of a first layer raises ValueError for rows that the layer can't read;
``penalty(site)`` returns the layer's penalty, which is added to the mean loss, and
``add_penalty(site, factor)`` adds `factor` times its gradient to ``site.g``.  A layer that wraps a
Dense, and has its parameters, has it as ``dense``: the Dense's penalties and `max_norm` then hold.
``explain(part)`` gives the numbers of a pass their formulas, and ``explain_penalty(part)`` those of
the layer's penalty (`formulas.explaining`), for `thinnet.trace`.
An activation's ``weights_before`` names the initialiser that suits the weights before it.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, Protocol, runtime_checkable

from thinnet.arrays import Array, Features, Rows
from thinnet.passes import Run, Site


class Shapes(NamedTuple):
    """The shapes that a layer needs when it is bound, in NamedTuples of the layer's own."""

    out: Features
    params: Any = ()
    state: Any = ()
    counters: Any = ()


@runtime_checkable
class Layer(Protocol):
    def shapes(self, features: Features) -> Shapes:
        """The shapes for rows of shape `features`; ValueError where the layer doesn't fit."""
        ...

    def forward(self, site: Site, x: Rows, run: Run) -> tuple[Rows, Any]:
        """The output, and a cache: all that `backward` needs beside the site."""
        ...

    def backward(self, site: Site, cache: Any, dy: Rows) -> Rows:
        """Return the input's gradient; write (never add) the parameters' gradients to `site.g`."""
        ...


@runtime_checkable
class Initial(Protocol):
    """The source of a layer's first weights."""

    def weights(self, shape: tuple[int, ...], rule: Any = None) -> Array:
        """Weights by `rule` (None: the one for the activation that follows), from the seed."""
        ...


def trait(layer: Layer, name: str, features: Features = ()) -> bool:
    """The value of one of the optional class variables above."""
    value = getattr(layer, name, False)
    return bool(value(features) if callable(value) else value)


def title(layer: Any) -> str:
    """A layer's name with the settings that are not its defaults: ``Dense(64, l2=0.0005)``."""
    name = type(layer).__name__
    if not dataclasses.is_dataclass(layer):
        return name
    settings = []
    for i, field in enumerate(f for f in dataclasses.fields(layer) if f.init):
        value = getattr(layer, field.name)
        shown = title(value) if dataclasses.is_dataclass(value) else repr(value)
        if isinstance(value, tuple) and all(map(dataclasses.is_dataclass, value)):
            shown = f"{len(value)} {field.name}"
        if value != field.default:
            settings.append(shown if i == 0 else f"{field.name}={shown}")
    return f"{name}({', '.join(settings)})"


def same_shape(self: Layer, features: Features) -> Shapes:
    """The `shapes` of a layer without parameters that keeps the shape of its rows."""
    return Shapes(features)


def one_axis(layer: Layer, features: Features) -> int:
    """The width of the rows; ValueError if they have more than one axis."""
    if len(features) != 1:
        raise ValueError(
            f"{title(layer)} must get rows of one axis, got rows of shape {features}: "
            "put Flatten() before it"
        )
    return features[0]
