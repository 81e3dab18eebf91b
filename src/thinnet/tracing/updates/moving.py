"""The optimiser's step, and what limits the parameters behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thinnet.arrays import Array
from thinnet.formulas.explaining import UpdatePart
from thinnet.formulas.naming import Name
from thinnet.formulas.quantities import Kind, Quantity
from thinnet.formulas.trees import SQRT, Index, Node, cases, total
from thinnet.tracing.sections import ByLayer, Section, by_layer
from thinnet.tracing.updates.stages import Stage
from thinnet.training.penalties import limit_norms


def move(stage: Stage) -> None:
    """Take the optimiser's step; what is absent stays as it was, with its moments."""
    how, network = stage.how, stage.network
    presence = network.presence(stage.run)
    t: Any = 1 + how.t if presence is None else 1 + how.t * presence.probability
    kept: Any = True if presence is None else presence.kept
    theta, after = how.optimizer.step(network.theta, network.gradient, how.state, t, how.rate)
    theta = np.where(kept, theta, network.theta)
    after = [np.where(kept, new, old) for new, old in zip(after, how.state, strict=True)]
    counts = None if presence is None else by_layer(network, t, "setting", "step")
    new = by_layer(network, theta, "update", mark="+")
    section = Section("update", type(how.optimizer).__name__)
    rate = _single("eta", how.rate)
    count = _single("step", float(how.t + 1))
    section.quantities += [rate, count]
    befores = _moments(stage, how.state, "state", "")
    afters = _moments(stage, after, "moment", "+")
    for i, layer in enumerate(stage.theta):
        for j, old in enumerate(layer):
            made = getattr(type(how.state), "_make", tuple)
            part = UpdatePart(
                old, stage.gradients[i][j], new[i][j], rate,
                made(b[i][j] for b in befores), made(a[i][j] for a in afters),
                count if counts is None else counts[i][j],
            )  # fmt: skip
            if hasattr(how.optimizer, "explain"):
                how.optimizer.explain(part)
            _stay(part, stage.present, i, j)
            of_t = [] if counts is None else [part.t]
            section.quantities += [*of_t, *part.before, *part.after, *part.made, part.new]
    network.theta[:] = theta
    stage.theta = new
    stage.sections.append(section)


def _single(word: str, value: float) -> Quantity:
    return Quantity(Name(word), np.array(value), "setting")


def _moments(stage: Stage, state: Any, kind: Kind, mark: str) -> list[ByLayer]:
    n = len(stage.how.state)
    names = getattr(stage.how.state, "_fields", None) or [f"state{k}" for k in range(n)]
    pairs = zip(names, state, strict=True)
    return [by_layer(stage.network, flat, kind, name, mark) for name, flat in pairs]


def _stay(part: UpdatePart, present: ByLayer | None, i: int, j: int) -> None:
    """Absent parameters and their moments stay as they were."""
    if present is None:
        return
    there = present[i][j]
    for new, old in [(part.new, part.theta), *zip(part.after, part.before, strict=True)]:
        if new.element is not None:
            new.each(_or_stays(new, old, there))


def _or_stays(new: Quantity, old: Quantity, there: Quantity) -> Callable[[Index], Node]:
    element, whole = new.element, new.whole
    assert element is not None

    def formula(at: Index) -> Node:
        moved = whole if at is None else element(*at)
        assert moved is not None
        return cases((moved, there[at], "=", 1), otherwise=old[at])

    return formula


def limit(stage: Stage) -> None:
    """Scale the weights into a unit back to the layer's `max_norm` where they exceed it."""
    network = stage.network
    limits = [_max_norm(layer) for layer in network.layers]
    if not any(limits):
        return
    limit_norms(network, stage.run)
    found = by_layer(network, network.theta, "update", "limited")
    section = Section("update", "max-norm")
    for i, most in enumerate(limits):
        if most is not None:
            new, old = found[i][0], stage.theta[i][0]
            section.quantities += [_limited(stage, (new, old), float(most), i), new]
            stage.theta[i][0] = new
    stage.sections.append(section)


def _limited(stage: Stage, weights: tuple[Quantity, Quantity], most: float, i: int) -> Quantity:
    """The norm of each unit's weights; the formulas of the weights behind the limit."""
    new, old = weights
    lengths = np.linalg.norm(old.values, axis=1)
    norm = Quantity(Name("norm", str(i)), lengths, "statistic", i)
    inputs = range(old.shape[1])
    norm.by(lambda u: SQRT(total(old[u, k] ** 2 for k in inputs)))
    new.by(_scaled((norm, old), most, stage.network.sites[i].presence(stage.run)))
    return norm


def _scaled(
    arrays: tuple[Quantity, Quantity], most: float, there: Array | None
) -> Callable[[int, int], Node]:
    norm, old = arrays

    def element(u: int, k: int) -> Node:
        if there is not None and not there[u]:
            return old[u, k]
        return cases((old[u, k] * most / norm[u], norm[u], ">", most), otherwise=old[u, k])

    return element


def _max_norm(layer: Any) -> float | None:
    return getattr(getattr(layer, "dense", layer), "max_norm", None)
