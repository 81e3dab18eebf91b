"""The quantities of a pass: its arrays with their names, and the formulas that layers give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.explaining import LayerPart, LossPart
from thinnet.formulas.naming import Name
from thinnet.formulas.quantities import Kind, Quantity
from thinnet.formulas.trees import Node, node, total
from thinnet.losses import Loss
from thinnet.tracing.passing import Measured, Taken
from thinnet.tracing.sections import ByLayer, Section

ERROR = Name("E")


@dataclass(eq=False, slots=True)
class Built:
    """The sections of the two passes, in the order of a step.

    Attributes
    ----------
    forward, loss, backward : list of Section
    parameters, gradients : lists of lists of Quantity
        For each layer a list.
    error : Quantity or None
        The loss of the batch.
    """

    forward: list[Section] = field(default_factory=list)
    loss: list[Section] = field(default_factory=list)
    backward: list[Section] = field(default_factory=list)
    parameters: ByLayer = field(default_factory=list)
    gradients: ByLayer = field(default_factory=list)
    error: Quantity | None = None

    @property
    def sections(self) -> list[Section]:
        return [*self.forward, *self.loss, *self.backward]


def derivative(of: Quantity, values: Array) -> Quantity:
    """The loss's derivative by an array."""
    key = ERROR._replace(of=of.key)
    return Quantity(key, values, "gradient", of.layer, of.by_rows, of_units=of.of_units)


def build(taken: Taken, loss: Loss | None = None, of_loss: Measured | None = None) -> Built:
    """All quantities of a pass, with their formulas."""
    built = Built()
    between = list(_between(taken))
    slopes = [derivative(q, s) for q, s in zip(between, taken.slopes, strict=False)]
    built.forward.append(Section("forward", "input", [between[0]]))
    for i, (layer, site) in enumerate(taken.network.places()):
        part = _part(taken, i, between, slopes)
        if hasattr(layer, "explain"):
            layer.explain(part)
        own = [quantity for group in (part.p, part.s) for quantity in group]
        built.forward.append(Section("forward", site.name, [*own, *part.forward, part.y]))
        built.parameters.append(list(part.p))
        built.gradients.append(list(part.g))
        if slopes:
            behind = [*part.backward, *part.g, part.dx]
            built.backward.insert(0, Section("backward", site.name, behind))
    if loss is not None and of_loss is not None:
        section = _loss(loss, of_loss, between[-1], slopes[-1])
        built.loss.append(section)
        built.error = section.quantities[-2]
    return built


def _between(taken: Taken) -> Iterator[Quantity]:
    """The input, and the output of each layer."""
    yield Quantity(Name("x"), taken.x, "input", None, by_rows=True)
    for i, values in enumerate(taken.outputs):
        yield Quantity(Name("y", str(i)), values, "output", i, by_rows=True)


def _part(taken: Taken, i: int, between: list[Quantity], slopes: list[Quantity]) -> LayerPart:
    site = taken.network.sites[i]
    nothing = Quantity(Name("none"), np.zeros(0), "gradient")
    dx, dy = (slopes[i], slopes[i + 1]) if slopes else (nothing, nothing)
    p, s = _named(site.p, i, "parameter"), _named(taken.states[i], i, "state")
    g: Any = ()
    if slopes and site.g:
        pairs = zip(p, site.g, strict=True)
        g = type(site.g)(*(derivative(q, np.array(values)) for q, values in pairs))
    return LayerPart(
        site, taken.run, taken.latest.caches[i], str(i),
        between[i], between[i + 1], dx, dy, p, g, s,
    )  # fmt: skip


def _named(views: Any, i: int, kind: Kind) -> Any:
    """A quantity for each array of a NamedTuple, by the same names."""
    if not views:
        return ()
    pairs = zip(views._fields, views, strict=True)
    return type(views)(*(Quantity(Name(word, str(i)), np.array(v), kind, i) for word, v in pairs))


def _loss(loss: Loss, of: Measured, z: Quantity, dz: Quantity) -> Section:
    """The loss of each row, what it counts for, and the batch's."""
    t = Quantity(Name("t"), np.asarray(of.batch.targets), "target", None, by_rows=True)
    share = Quantity(Name("share"), of.share, "setting", None, by_rows=True)
    losses = Quantity(Name("L"), of.losses, "loss", None, by_rows=True)
    mean = Quantity(ERROR, np.array(of.mean), "loss")
    weights = _explained_share(share, of)
    part = LossPart(z, t, share, losses, mean, dz)
    if hasattr(loss, "explain"):
        loss.explain(part)
    return Section("loss", type(loss).__name__, [t, *weights, share, *part.made, losses, mean, dz])


def _explained_share(share: Quantity, of: Measured) -> list[Quantity]:
    """A row counts for its weight over that of all; without weights for one of n."""
    n, factor = len(of.losses), of.batch.factor
    if of.batch.weights is None:
        share.by(lambda i: factor / node(n))
        return []
    weights = Quantity(Name("weight"), of.batch.weights, "sample weight", None, by_rows=True)
    there = of.batch.weights.any()

    def formula(i: int) -> Node:
        own = weights[i] if factor == 1 else factor * weights[i]
        return own / total(weights[j] for j in range(n)) if there else own

    share.by(formula)
    return [weights]
