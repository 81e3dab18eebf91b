"""Thinning: what one mask for all rows drops is not computed at all.

It is done in a *gap*: a dropout between two Dense layers, or the input and one, with layers between
that keep units apart.  What thinned products look like is said in docs/engine.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from thinnet.engine import opcodes as code
from thinnet.engine.lowered import Bound, Pass
from thinnet.engine.records import Operation
from thinnet.layers import Columns, Dense, Dropout, Layer
from thinnet.layers.base import trait
from thinnet.layers.presence import Place
from thinnet.passes import Site
from thinnet.schedules import Rate, Schedule

# Thinning moves what is kept of W together, and its gradient apart again.  That pays where enough
# is dropped of a layer that is large enough; bits are the same either way.
WORTH_THINNING = 1600  # weights that are dropped on average
LEAST_RATE: Final = 0.1

INPUT: Final = -1  # stands where a layer's place would, for the rows that come in


class Gap(NamedTuple):
    """A dropout, and the places of what produces and consumes what it drops."""

    dropout: int
    governor: Place
    before: int
    behind: int


def gaps(network: Bound, kind: Pass, sparse: bool) -> list[Gap]:
    """Those that are thinned in one kind of pass; of sparse rows no input is, as few are there."""
    if kind not in ("train", "draw"):
        return []
    found = []
    for i, (layer, site) in enumerate(zip(network.layers, network.sites, strict=True)):
        if type(layer) is Dropout and is_shared(layer, kind) and _is_thinnable(layer, site):
            before, behind = _nearest(network, i, -1), _nearest(network, i, 1)
            if before is None or behind is None or (sparse and before == INPUT):
                continue
            if _pays(_least(layer.rate), _most_weights(network, before, behind)):
                found.append(Gap(i, (layer, site), before, behind))
    return found


def is_shared(layer: Layer, kind: Pass) -> bool:
    """Has the layer one mask for all rows?"""
    return kind == "draw" or getattr(layer, "share", None) == "batch"


def _is_thinnable(layer: Dropout, site: Site) -> bool:
    return not layer.share_axes and len(site.features) == 1


def _nearest(network: Bound, i: int, step: int) -> int | None:
    """The Dense layer nearest to dropout i, or the input, past what keeps units apart.

    Behind the dropout zero must stay zero too.
    """
    i += step
    while 0 <= i < len(network.layers):
        layer, site = network.layers[i], network.sites[i]
        if type(layer) in (Dense, Columns):
            return i
        passes = trait(layer, "unitwise", site.features) and not trait(layer, "can_draw")
        if not passes or (step > 0 and not trait(layer, "keeps_zero")):
            return None
        i += step
    return INPUT if step < 0 else None


def _pays(rate: float, weights: int) -> bool:
    """A rule in shape and rate alone, so that the same network is always computed alike."""
    return rate >= LEAST_RATE and rate * weights >= WORTH_THINNING


def _most_weights(network: Bound, before: int, behind: int) -> int:
    """Of the layers around a gap."""
    return max(network.sites[i].p.W.size for i in (before, behind) if i != INPUT)


def _least(rate: Rate) -> float:
    """The lowest rate that a schedule gives where it begins and ends."""
    if not isinstance(rate, Schedule):
        return float(rate)
    return min(rate.at(0), rate.at(getattr(rate, "n_steps", 0)))


def thin_out(operations: Iterable[Operation], first: int, behind: int, side: int) -> None:
    """Mark what the layers from `first` on give, up to the Dense layer `behind` that takes it."""
    for op in operations:
        if first <= op.layer < behind:
            op.thin_out, op.side_out = 1, side
        if op.layer == behind and op.kind == code.DENSE:
            op.thin_in, op.side_in = 1, side
