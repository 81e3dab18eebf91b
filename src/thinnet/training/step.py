"""One optimiser step, and where its numbers stop being finite."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array, Rows
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.optimisers import clip_norm, update
from thinnet.passes import Run, Site
from thinnet.training.data import Data
from thinnet.training.penalties import add_penalty_gradient, limit_norms
from thinnet.training.plan import Plan


class Seen(NamedTuple):
    """The loss of a batch, and the outputs that it was computed from."""

    loss: float
    outputs: Rows


def gradient_of(network: Network, plan: Plan, data: Data, rows: Array) -> Seen:
    """Write the gradient of the batch's loss, taken over the plan's micro-batches."""
    total = weight_of(data, rows) / plan.loss_factor
    first, *others = _micro_batches(rows, plan.accumulate)
    seen = [_part(network, plan.loss, data, first, total)]
    for part in others:
        before = network.gradient.copy()  # a backward pass overwrites it
        seen.append(_part(network, plan.loss, data, part, total))
        np.add(network.gradient, before, out=network.gradient)
    return Seen(sum(s.loss for s in seen), np.concatenate([s.outputs for s in seen]))


def weight_of(data: Data, rows: Array) -> float:
    """What means over the rows are divided by."""
    return data.total(rows) or 1.0


def _micro_batches(rows: Array, parts: int) -> list[Array]:
    return np.array_split(rows, min(parts, len(rows)))


def _part(network: Network, loss: Loss, data: Data, rows: Array, total: float) -> Seen:
    run = Run.train(network.clock.step, data.ids[rows])
    outputs, cache = network.forward(data.X[rows], run)
    value, slope = loss(outputs, data.targets[rows], data.weights_of(rows), total)
    network.backward(cache, slope)
    return Seen(value, outputs)


def take_step(
    network: Network, plan: Plan, state: Any, t: int, learning_rate: float, weight: float
) -> None:
    """Penalties, clipping, update, norms: from the written gradient to new parameters."""
    run = Run.train(network.clock.step)
    presence = network.presence(run)
    add_penalty_gradient(network, plan.penalised(weight))
    if presence is not None:
        network.gradient[~presence.kept] = 0
    if plan.clip_norm is not None:
        clip_norm(network.gradient, plan.clip_norm)
    update(plan.optimiser, network.theta, network.gradient, state, t, learning_rate, presence)
    limit_norms(network, run)
    network.clock.step += 1


def first_bad(network: Network, plan: Plan, data: Data, rows: Array) -> str:
    """Which number of a step is the first that is not finite."""
    bad: list[str] = []
    through = ["the loss"]  # what the gradient has come through

    def output(site: Site, y: Rows) -> None:
        if not np.isfinite(y).all():
            bad.append(f"the output of {site.name}")

    def gradient(site: Site, dy: Rows) -> None:
        if not np.isfinite(dy).all():
            bad.append(f"the gradient of {through[-1]}")
        if not all(np.isfinite(g).all() for g in site.g):
            bad.append(f"the gradient of {site.name}")
        through.append(site.name)

    total = weight_of(data, rows) / plan.loss_factor
    for part in _micro_batches(rows, plan.accumulate):
        run = Run.train(network.clock.step, data.ids[part])
        y, cache = network.forward(data.X[part], run, output)
        value, dy = plan.loss(y, data.targets[part], data.weights_of(part), total)
        if not np.isfinite(value):
            bad.append("the loss")
        network.backward(cache, dy, gradient)
    return (*bad, "the sum of gradients")[0]


def first_bad_parameter(network: Network) -> str:
    return next(
        f"a parameter of {site.name}"
        for site in network.sites
        if not all(np.isfinite(p).all() for p in site.p)
    )
