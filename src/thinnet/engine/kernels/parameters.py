"""Parameters of a task: what becomes of them from a gradient on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thinnet.engine.aliases import Bytes, Number, Numbers
from thinnet.engine.kernels.memory import view
from thinnet.engine.kernels.optimizers import (
    Pace,
    limit_norm,
    not_finite,
    pace_at,
    penalise,
    update,
)
from thinnet.engine.kernels.presence import chance_of
from thinnet.engine.linking import part
from thinnet.engine.records import Operation, Round, Work


class Parameters(NamedTuple):
    """Neighbours in theta from `at` on, the penalties that they bear, and their longest norm."""

    at: int
    l1: float
    l2: float
    max_norm: float


@part
def unpenalised(at: int) -> Parameters:
    return Parameters(at, 0.0, 0.0, np.inf)


@part
def add_penalties(parameters: Parameters, present: Bytes, now: Round, w: Work, g: Numbers) -> None:
    """Of what is present."""
    like, at, l1, l2 = g.dtype.type(0), parameters.at, parameters.l1, parameters.l2
    if l1 == 0 and l2 == 0:
        return
    by = now.penalised
    penalise(view(w.theta, like)[at : at + g.size], by * l1, by * l2, g)
    for i in range(g.size):
        g[i] = g[i] if present[i] else like


@part
def move(parameters: Parameters, present: Bytes, pace: Pace, w: Work, g: Numbers) -> Number:
    """One step of some parameters, where they are present."""
    like, at = g.dtype.type(0), parameters.at
    theta = view(w.theta, like)[at : at + g.size]
    first, second = view(w.first, like)[at:], view(w.second, like)[at:]
    update(w.optimizer, view(w.settings, 0.0), pace, present, theta, g, first, second)
    if parameters.max_norm < np.inf:
        limit_norm(theta, parameters.max_norm)
    return not_finite(theta)


@part
def pace_of(now: Round, chance: float, w: Work) -> Pace:
    """After the steps that what exists with probability `chance` has been through, with this."""
    return pace_at(w.optimizer, view(w.settings, 0.0), now.learning_rate, 1 + now.count * chance)


@part
def chance_of_weights(op: Operation, w: Work) -> float:
    return chance_of(op.side_out, w) * chance_of(op.side_in, w)
