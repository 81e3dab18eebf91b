"""What becomes of a gradient before the optimiser gets it: penalties, absence, clipping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from thinnet.formulas.explaining import PenaltyPart, places
from thinnet.formulas.naming import Name, text
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import ABS, SIGN, SQRT, SUM, Index, Node, cases, total
from thinnet.layers import Dense
from thinnet.optimizers.base import clip_norm
from thinnet.tracing.sections import ByLayer, by_layer, together
from thinnet.tracing.updates.stages import Stage
from thinnet.training.penalties import OwnPenalty, Penalised, Penalty, penalised

FEW: Final = 300  # numbers that a sum over all parameters names one by one


def penalise(stage: Stage) -> None:
    """Add the gradients of the penalties, which stand apart from the loss."""
    of_layers = [of for of in penalised(stage.network) if isinstance(of.penalty, OwnPenalty)]
    of_arrays = [of for of in penalised(stage.network) if not isinstance(of.penalty, OwnPenalty)]
    if of_arrays:
        found = _added(stage, of_arrays, "p")
        values = [
            value
            for i, layer in enumerate(stage.network.layers)
            for j, penalty in enumerate(_penalties(layer))
            for value in _penalty_of(stage, (i, j), penalty, found[i][j])
        ]
        _hand_on(stage, "penalties", found, values)
    if of_layers:
        found = _added(stage, of_layers, "own")
        own = [i for i, layer in enumerate(stage.network.layers) if hasattr(layer, "add_penalty")]
        values = [_own_penalty(stage, i, found[i]) for i in own]
        _hand_on(stage, "penalties of layers", found, values)


def _added(stage: Stage, some: list[Penalised], word: str) -> ByLayer:
    """The gradients behind some penalties."""
    for penalty, w, g in some:
        penalty.add_gradient(w, g, stage.how.penalised)
    return stage.of_gradient(word)


def _penalties(layer: Any) -> tuple[Penalty, ...]:
    """Those of weights and biases, of a Dense layer or of one that wraps it."""
    dense = getattr(layer, "dense", layer)
    if not isinstance(dense, Dense):
        return ()
    return Penalty(dense.l1, dense.l2), Penalty(dense.bias_l1, dense.bias_l2)


def _hand_on(stage: Stage, title: str, found: ByLayer, values: list[Quantity]) -> None:
    """Gradients that no penalty has reached stay what they were."""
    pairs = [list(zip(*layer, strict=True)) for layer in zip(found, stage.gradients, strict=True)]
    stage.gradients = [[old if _same(new, old) else new for new, old in layer] for layer in pairs]
    there = [[new for new, old in layer if not _same(new, old)] for layer in pairs]
    stage.show(title, there, first=tuple(values))


def _same(new: Quantity, old: Quantity) -> bool:
    """Whether no penalty has reached a gradient."""
    return new.element is None and np.array_equal(new.values, old.values)


def _penalty_of(
    stage: Stage, of: tuple[int, int], penalty: Penalty, new: Quantity
) -> list[Quantity]:
    """The formulas of ``l1 * sum |w| + l2 * sum w^2`` and its gradient."""
    if not penalty:
        return []
    i, j = of
    old, w, factor = stage.gradients[i][j], stage.theta[i][j], stage.how.penalised
    l1, l2 = penalty.l1, penalty.l2
    new.each(lambda at: old[at] + factor * l1 * SIGN(w[at]) + 2 * factor * l2 * w[at])
    value = Quantity(Name("P", text(w.key)), np.array(penalty.value(w.values)), "penalty", i)
    parts = [l1 * SUM(ABS(w.all))] if l1 else []
    value.by(lambda: total([*parts, *([l2 * SUM(w.all**2)] if l2 else [])]))
    return [value]


def _own_penalty(stage: Stage, i: int, found: list[Quantity]) -> Quantity:
    """The penalty of a layer in a form of its own."""
    layer: Any = stage.network.layers[i]
    site = stage.network.sites[i]
    kind: Any = type(site.p)
    value = Quantity(Name("P", str(i)), np.array(layer.penalty(site)), "penalty", i)
    part = PenaltyPart(
        site, kind(*stage.theta[i]), kind(*stage.gradients[i]), kind(*found),
        stage.how.penalised, value,
    )  # fmt: skip
    if hasattr(layer, "explain_penalty"):
        layer.explain_penalty(part)
    return value


def leave_out(stage: Stage) -> None:
    """The gradient of what is absent from a thinned step is 0."""
    presence = stage.network.presence(stage.run)
    if presence is None:
        return
    stage.present = by_layer(stage.network, presence.kept.astype(float), "mask", "present")
    stage.network.gradient[~presence.kept] = 0
    found = stage.of_gradient("g")
    for new, old, there in together(found, stage.gradients, stage.present):
        new.each(_where(old, there))
    stage.gradients = found
    stage.show("parameters that are present", stage.present, found)


def _where(old: Quantity, there: Quantity) -> Callable[[Index], Node]:
    return lambda at: cases((old[at], there[at], "=", 1), otherwise=0)


def clip(stage: Stage) -> None:
    """Scale a gradient that is longer than `clip_norm` back to it."""
    limit, gradient = stage.how.clip_norm, stage.network.gradient
    if limit is None:
        return
    arrays = [quantity for layer in stage.gradients for quantity in layer]
    length = float(np.linalg.norm(gradient.astype(np.float64)))
    norm = Quantity(Name("norm"), np.array(length), "statistic")
    norm.by(lambda: SQRT(sum_of_squares(arrays)))
    factor = Quantity(Name("clip"), np.array(limit / max(length, limit)), "statistic")
    factor.by(lambda: cases((limit / norm[()], norm[()], ">", limit), otherwise=1))
    clip_norm(gradient, limit)
    found = stage.of_gradient("c")
    for new, old in together(found, stage.gradients):
        new.each(_times(factor, old))
    stage.gradients = found
    stage.show("clipping", found, first=(norm, factor))


def _times(factor: Quantity, old: Quantity) -> Callable[[Index], Node]:
    return lambda at: factor[()] * old[at]


def sum_of_squares(arrays: list[Quantity]) -> Node:
    """Over all numbers: each by its name where they are few."""
    if sum(quantity.values.size for quantity in arrays) > FEW:
        return total(SUM(quantity.all**2) for quantity in arrays)
    return total(q[at] ** 2 for q in arrays for at in places(q.shape))
