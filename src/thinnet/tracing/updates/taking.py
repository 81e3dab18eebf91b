"""A whole update, and what it changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thinnet.arrays import Flat
from thinnet.formulas.explaining import places
from thinnet.formulas.naming import Name
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import ABS, GREATEST, SUM, Node, total
from thinnet.losses import Loss
from thinnet.tracing import passing
from thinnet.tracing.building import Built
from thinnet.tracing.sections import Section, by_layer, together
from thinnet.tracing.updates.gradients import FEW, clip, leave_out, penalise
from thinnet.tracing.updates.moving import limit, move
from thinnet.tracing.updates.stages import How, Stage


def update(taken: passing.Taken, built: Built, how: How) -> Stage:
    """Move the network of a pass, a copy, as a training does; its sections say how."""
    stage = Stage(taken.network, taken.run, how, built.parameters, built.gradients)
    for part in (penalise, leave_out, clip, move, limit):
        part(stage)
    return stage


def changed(
    taken: passing.Taken, built: Built, stage: Stage, loss: Loss, batch: passing.Batch
) -> Section:
    """What the step did to the loss of its own batch, and what the gradient had promised."""
    assert built.error is not None
    again = passing.forward(taken.network, taken.x, taken.run)
    error = built.error
    mean = passing.measured(again, loss, batch).mean
    behind = Quantity(Name("E", mark="+"), np.array(mean), "measured")
    change = Quantity(Name("change"), behind.values - error.values, "loss")
    change.by(lambda: behind[()] - error[()])
    moved = list(together(built.gradients, built.parameters, stage.theta))
    values = sum(float(np.sum(g.at(None) * (new.at(None) - old.at(None)))) for g, old, new in moved)
    promised = Quantity(Name("promised"), np.array(values), "loss")
    promised.by(lambda: _slope_times_way(moved))
    return Section("update", "what the step changed", [behind, change, promised])


def _slope_times_way(moved: list[tuple[Quantity, ...]]) -> Node:
    """The gradient times the way that the parameters went: each by its name if they are few."""
    if sum(g.values.size for g, _, _ in moved) > FEW:
        return total(SUM(g.all * (new.all - old.all)) for g, old, new in moved)
    return total(g[at] * (new[at] - old[at]) for g, old, new in moved for at in places(g.shape))


def compared(stage: Stage, followed: Flat) -> Section:
    """By how much the weights that really followed differ from those of the formulas."""
    really = by_layer(stage.network, followed, "measured", "really")
    section = Section("update", "beside the weights that followed")
    for own, other in together(stage.theta, really):
        gap = np.max(np.abs(own.at(None) - other.at(None)))
        name = Name("gap", other.key.below)
        found = Quantity(name, np.array(gap), "update", own.layer)
        found.by(_greatest_gap(own, other))
        section.quantities += [other, found]
    return section


def _greatest_gap(own: Quantity, other: Quantity) -> Callable[[], Node]:
    return lambda: GREATEST(ABS(own.all - other.all))
