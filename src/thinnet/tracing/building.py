"""The quantities of a pass: its arrays with their names, and the formulas that layers give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.explaining import LayerPart, LossPart
from thinnet.formulas.naming import Name
from thinnet.formulas.quantities import Quantity
from thinnet.losses import Loss
from thinnet.tracing.passing import Measured, Taken

ERROR = Name("E")


@dataclass(eq=False, slots=True)
class Section:
    """A part of a trace: a layer forward or backward, the loss, the update."""

    title: str
    quantities: list[Quantity] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Pages:
    """The sections of a trace in the order of a step; `slopes` are each layer's gradients."""

    forward: list[Section] = field(default_factory=list)
    loss: list[Section] = field(default_factory=list)
    backward: list[Section] = field(default_factory=list)
    slopes: list[list[Quantity]] = field(default_factory=list)

    @property
    def sections(self) -> list[Section]:
        return [*self.forward, *self.loss, *self.backward]


def derivative(of: Quantity, values: Array) -> Quantity:
    """The loss's derivative by an array."""
    key = ERROR._replace(of=of.key)
    return Quantity(key, values, "gradient", of.layer, of.by_rows)


def build(
    taken: Taken, loss: Loss | None, targets: Array | None, of_loss: Measured | None
) -> Pages:
    """All quantities of a pass, with their formulas."""
    pages = Pages()
    between = _between(taken)
    slopes = [derivative(q, s) for q, s in zip(between, taken.slopes, strict=False)]
    pages.forward.append(Section("input", [between[0]]))
    for i, (layer, site) in enumerate(taken.network.places()):
        part = _part(taken, i, between, slopes)
        if hasattr(layer, "explain"):
            layer.explain(part)
        title = f"{site.name} {type(layer).__name__}"
        own = [q for group in (part.p, part.s) for q in group or ()]
        pages.forward.append(Section(title, [*own, *part.forward, part.y]))
        pages.slopes.append(list(part.g or ()))
        if slopes:
            gradients = list(part.g or ())
            pages.backward.insert(0, Section(title, [*part.backward, *gradients, part.dx]))
    if loss is not None and of_loss is not None and targets is not None:
        pages.loss.append(_loss(loss, targets, of_loss, between[-1], slopes[-1]))
    return pages


def _between(taken: Taken) -> list[Quantity]:
    """The input, and the output of each layer."""
    found = [Quantity(Name("x"), taken.x, "input", None, by_rows=True)]
    for i, values in enumerate(taken.outputs):
        found.append(Quantity(Name("y", str(i + 1)), values, "output", i, by_rows=True))
    return found


def _part(taken: Taken, i: int, between: list[Quantity], slopes: list[Quantity]) -> LayerPart:
    site = taken.network.sites[i]
    nothing = Quantity(Name("none"), np.zeros(0), "gradient")
    dx, dy = (slopes[i], slopes[i + 1]) if slopes else (nothing, nothing)
    p = _named(site.p, i, "parameter")
    g = None
    if slopes and site.g:
        pairs = zip(p, site.g, strict=True)
        g = type(site.g)(*(derivative(q, np.array(values)) for q, values in pairs))
    s = _named(taken.states[i], i, "state")
    return LayerPart(
        site, taken.run, taken.latest.caches[i], str(i + 1),
        between[i], between[i + 1], dx, dy, p, g, s,
    )  # fmt: skip


def _named(views: Any, i: int, kind: Any) -> Any:
    """A quantity for each array of a NamedTuple, by the same names."""
    if not views:
        return ()
    pairs = zip(views._fields, views, strict=True)
    found = (Quantity(Name(word, str(i + 1)), np.array(v), kind, i) for word, v in pairs)
    return type(views)(*found)


def _loss(loss: Loss, targets: Array, of: Measured, z: Quantity, dz: Quantity) -> Section:
    t = Quantity(Name("t"), np.asarray(targets), "target", None, by_rows=True)
    share = Quantity(Name("share"), of.share, "sample weight", None, by_rows=True)
    losses = Quantity(Name("L"), of.losses, "loss", None, by_rows=True)
    mean = Quantity(ERROR, np.array(of.mean), "loss")
    part = LossPart(z, t, share, losses, mean, dz)
    if hasattr(loss, "explain"):
        loss.explain(part)
    return Section(type(loss).__name__, [t, share, losses, mean, dz])
