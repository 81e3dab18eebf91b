"""The formulas of `ConcreteDropout`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from thinnet import masks
from thinnet.arrays import Array
from thinnet.formulas.explaining import LayerPart, PenaltyPart, explain_mask
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import (
    EXP,
    LOG,
    MAX,
    MIN,
    SIGMOID,
    SUM,
    Node,
    cases,
    node,
    total,
)
from thinnet.layers.learned_rate import MAX_LOGIT, learned
from thinnet.passes import Run, Site

Kept: TypeAlias = Callable[[Site, Run, int], Array]
Factor: TypeAlias = Callable[[int, int], Node]


def explain_thinned(dense: Any, part: LayerPart, temperature: float, kept: Kept | None) -> None:
    """Explain a Dense layer with inputs thinned at a learned rate; `kept` of a learning pass."""
    x, site = part.x, part.site
    if not part.run.draws:
        dense.explain(part)
        if part.has_slopes:
            part.g.logit.by(lambda k: node(0))
        return
    if kept is None:
        factor, fraction = _mask_factor(part), None
    else:
        factor, fraction = _kept_factor(part, temperature, kept)
    thinned = part.make_inside("dropped", part.cache.inner.x, "output")
    thinned.by(lambda i, k: x[i, k] * factor(i, k))
    inner = dataclasses.replace(part, x=thinned)
    if part.has_slopes:
        back = inner.dx = part.make_back("dropped", part.dy.values @ site.p.W)
        back.of_units = False
        part.dx.by(lambda i, k: back[i, k] * factor(i, k))
        if fraction is None:
            part.g.logit.by(lambda k: node(0))
        else:
            part.g.logit.by(_slope(part, (thinned, back, fraction), temperature))
    dense.explain(inner)


def _mask_factor(part: LayerPart) -> Factor:
    """What an input is multiplied by in a sampling pass."""
    rows, rate = len(part.x.values), learned(part.site).rate
    values = part.site.keep(part.run, rows, rate).astype(part.x.values.dtype)
    mask = part.make_inside("m", values, "mask")
    explain_mask(part, mask, rate, part.site.draws(part.run, rows))
    q = part.setting("q", masks.keep_probability(rate) or 1.0)
    together = len(values) == 1
    return lambda i, k: mask[0 if together else i, k] / q[()]


def _kept_factor(part: LayerPart, temperature: float, kept: Kept) -> tuple[Factor, Quantity]:
    """What an input is multiplied by in a learning pass, and the part of it that is kept."""
    rows = len(part.x.values)
    draws = part.site.draws(part.run, rows).astype(np.float64)
    draw = part.make_inside("draw", draws, "random")
    logit = part.setting("logit_inside", learned(part.site).logit)
    logit.by(lambda: _inside(part.p.logit))
    fraction = part.make_inside("kept", kept(part.site, part.run, rows), "mask")

    def by_draw(i: int, k: int) -> Node:
        u = (draw[i, k] + 0.5) / masks.LEVELS
        return 1 / (1 + EXP(-(LOG(u / (1 - u)) - logit[()]) / temperature))

    fraction.by(by_draw)
    together = len(draws) == 1
    return (lambda i, k: fraction[0 if together else i, k] * (1 + EXP(logit[()]))), fraction


def _inside(logit: Quantity) -> Node:
    return MIN(MAX(logit[0], -MAX_LOGIT), MAX_LOGIT)


def _slope(
    part: LayerPart, arrays: tuple[Quantity, Quantity, Quantity], temperature: float
) -> Callable[[int], Node]:
    """The gradient of the logit."""
    thinned, back, kept = arrays
    together, (rows, inputs) = len(kept.values) == 1, thinned.shape
    logit = part.p.logit

    def each(i: int, k: int) -> Node:
        z = 1 - kept[0 if together else i, k]
        return back[i, k] * thinned[i, k] * (SIGMOID(logit[0]) - z / temperature)

    def slope(j: int) -> Node:
        return _inward(total(each(i, k) for i in range(rows) for k in range(inputs)), logit)

    return slope


def _inward(slope: Node, logit: Quantity) -> Node:
    """`slope`, or 0 if the logit is beyond its limit and would be moved further away."""
    value = float(logit.values[0])
    return cases((0, slope * value, "<", 0), otherwise=slope) if abs(value) > MAX_LOGIT else slope


def explain_penalty(part: PenaltyPart, weight_penalty: float, rate_penalty: float) -> None:
    """``weight_penalty * sum W^2 / q - rate_penalty * inputs * entropy``, and its gradient."""
    W, logit = part.p.W, part.p.logit
    p, q = SIGMOID(_inside(logit)), SIGMOID(-_inside(logit))
    squares, inputs = SUM(W.all**2), part.site.features[0]
    entropy = -(p * LOG(p) + q * LOG(q))
    part.value.by(lambda: weight_penalty * squares / q - rate_penalty * inputs * entropy)
    before, after, factor = part.before, part.after, part.factor
    after.W.each(lambda at: before.W[at] + 2 * factor * weight_penalty / q * W[at])
    slope = weight_penalty * squares * p / q + rate_penalty * inputs * p * q * _inside(logit)
    after.logit.by(lambda j: before.logit[j] + _inward(factor * slope, logit))
