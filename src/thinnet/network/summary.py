"""A summary of a network: its layers, and advice on their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table

from thinnet.layers import BatchNorm, GaussianNoise, Layer
from thinnet.layers.base import title, trait
from thinnet.network import executor
from thinnet.network.bound import Bound
from thinnet.passes import Run, Site
from thinnet.schedules import Schedule


def order_advice(layers: Sequence[Layer]) -> str | None:
    """A sentence if dropout stands upstream of BatchNorm (Li et al. 2018), else None."""
    norms = [i for i, layer in enumerate(layers) if isinstance(layer, BatchNorm)]
    before = [
        i
        for i, layer in enumerate(layers)
        if norms
        and i < norms[-1]
        and trait(layer, "can_draw")
        and getattr(layer, "rate", 0.0) != 0.0
    ]
    if not before:
        return None
    where = ", ".join(f"layer {i}, {title(layers[i])}" for i in before)
    return (
        f"dropout stands upstream of BatchNorm ({where}): its running variance will not fit "
        "prediction (Li et al. 2018, variance shift); put dropout behind the last BatchNorm"
    )


def has_random_masks(network: Bound) -> bool:
    """Whether a layer has random masks or noise, so that draws of this network differ."""
    return any(_is_active(layer, site) for layer, site in network.places())


def distinct_draws(network: Bound) -> int:
    """The number of draws after which they repeat; 0 if they never do."""
    active = [layer for layer, site in network.places() if _is_active(layer, site)]
    return math.lcm(*(getattr(layer, "n_masks", 0) for layer in active))


def _is_active(layer: Layer, site: Site) -> bool:
    if not trait(layer, "can_draw"):
        return False
    if isinstance(layer, GaussianNoise):
        return layer.scale > 0
    return site.rate(getattr(layer, "rate", 1.0), Run.sample(0)) > 0


def _size(group: Any) -> int:
    return sum(part.size for part in group)


def _rate(layer: Layer, site: Site) -> str:
    """The layer's rate as text; a rate that is learned is shown as it is now."""
    learned = getattr(layer, "learned_rate", None)
    rate = learned(site) if learned else getattr(layer, "rate", None)
    if rate is None:
        return ""
    return title(rate) if isinstance(rate, Schedule) else f"{rate:g}"


def _shape(features: tuple[int, ...]) -> str:
    return " x ".join(map(str, features))


def describe(network: Bound) -> None:
    table = Table(title=f"{len(network.layers)} layers, {network.dtype}, seed {network.seed}")
    for column in ("at", "layer", "in", "out", "parameters", "running", "rate", "masks"):
        justify: JustifyMethod = "left" if column == "layer" else "right"
        table.add_column(column, justify=justify, overflow="fold")
    for i, (layer, site) in enumerate(network.places()):
        sizes = [f"{n:,}" if n else "" for n in (_size(site.p), _size(site.s))]
        shapes = _shape(site.features), _shape(site.out)
        number = str(site.ordinal) if trait(layer, "can_draw") else ""
        table.add_row(str(i), title(layer), *shapes, *sizes, _rate(layer, site), number)
    running = sum(_size(site.s) for site in network.sites)
    table.add_section()
    table.add_row("", "all", "", "", f"{network.theta.size:,}", f"{running:,}", "", "")
    numbers = "at: place in `layers`; masks: number in `masks` and `keep_mask`"
    table.caption = f"run by {executor_text(network)}\n{numbers}"
    Console().print(table)


def executor_text(network: Bound) -> str:
    """The name of the executor, and the reasons if it is not compiled code."""
    if executor.is_compiled(network):
        return "compiled code"
    found = [] if network.executor == "reference" else executor.obstacles(network)
    return f"the reference executor{': ' if found else ''}{'; '.join(found)}"
