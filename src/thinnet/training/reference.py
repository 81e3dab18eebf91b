"""Optimiser steps by the textbook's formulas; the first number that is not finite is named."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Rows
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.network.row_order import micro_batches
from thinnet.optimizers import clip_norm, update
from thinnet.passes import Run, Site
from thinnet.training.data import Data
from thinnet.training.penalties import add_penalty_gradient, limit_norms
from thinnet.training.plan import Plan
from thinnet.training.state import TrainingState


class Seen(NamedTuple):
    """The loss of a batch, and the outputs that it was computed from."""

    loss: float
    outputs: Rows


def gradient_of(network: Network, plan: Plan, data: Data, rows: Array) -> Seen:
    """Write the gradient of the batch's loss, summed over micro-batches; return the loss."""
    total = weight_of(data, rows) / plan.loss_factor
    first, *others = _micro_batches(network, rows, plan.accumulate)
    seen = [_part(network, plan.loss, data, first, total)]
    for part in others:
        before = network.gradient.copy()  # a backward pass overwrites it
        seen.append(_part(network, plan.loss, data, part, total))
        np.add(network.gradient, before, out=network.gradient)
    return Seen(sum(s.loss for s in seen), np.concatenate([s.outputs for s in seen]))


def weight_of(data: Data, rows: Array) -> float:
    """The divisor of means over the rows: their total weight, or 1 if that is 0."""
    return data.total(rows) or 1.0


def _micro_batches(network: Network, rows: Array, parts: int) -> list[Array]:
    return [rows[part] for part in micro_batches(network, len(rows), parts)]


def _part(network: Network, loss: Loss, data: Data, rows: Array, total: float) -> Seen:
    run = Run.train(network.clock.step, data.ids[rows])
    outputs, cache = network.forward(data.X[rows], run)
    value, slope = loss(outputs, data.targets[rows], data.weights_of(rows), total)
    network.backward(cache, slope)
    return Seen(value, outputs)


def take_step(
    network: Network, plan: Plan, state: Any, t: int, learning_rate: float, weight: float
) -> None:
    """Apply penalties, clipping, the optimiser's update and max-norm to the written gradient."""
    run = Run.train(network.clock.step)
    presence = network.presence(run)
    add_penalty_gradient(network, plan.penalised(weight))
    if presence is not None:
        network.gradient[~presence.kept] = 0
    if plan.clip_norm is not None:
        clip_norm(network.gradient, plan.clip_norm)
    update(plan.optimizer, network.theta, network.gradient, state, t, learning_rate, presence)
    limit_norms(network, run)
    network.clock.step += 1


def first_bad(network: Network, plan: Plan, data: Data, rows: Array) -> str:
    """The name of the first number of a step that is not finite."""
    bad: list[str] = []
    through = ["the loss"]  # the places that the gradient has passed

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
    for part in _micro_batches(network, rows, plan.accumulate):
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


class ReferenceSteps:
    """Takes one step at a time, by the textbook's formulas in NumPy."""

    def __init__(self, training: TrainingState) -> None:
        self._training = training

    def take(self, order: Array, at_most: int) -> int:
        training = self._training
        network, plan, data = training.network, training.plan, training.data
        rows = order[training.slices[training.batch]]
        seen, weight = gradient_of(network, plan, data, rows), weight_of(data, rows)
        if not (np.isfinite(seen.loss) and np.isfinite(network.gradient).all()):
            self._diverge(first_bad(network, plan, data, rows))
        training.keep_good()
        training.keep_outputs(rows, seen.outputs)
        state, rate = training.optimizer_state, training.learning_rate
        take_step(network, plan, state, training.t, rate, weight)
        if not np.isfinite(network.theta).all():
            self._diverge(first_bad_parameter(network))
        training.count_steps(1, [seen.loss * (weight / plan.loss_factor)])
        return 1

    def _diverge(self, where: str) -> NoReturn:
        """Put back the weights of the last finite loss and raise DivergedError, with the place."""
        training = self._training
        training.put_good_back()
        step = training.network.clock.step
        raise checks.DivergedError(where, training.epoch, step, training.history)
