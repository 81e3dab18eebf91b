"""Gradient descent, with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Flat, OptimizerState
from thinnet.formulas.explaining import UpdatePart
from thinnet.optimizers.base import Count, LearningRate, check_learning_rate


class Empty(NamedTuple):
    """The state of an optimiser without moments."""


class Momentum(NamedTuple):
    velocity: Flat


@dataclass(frozen=True, slots=True)
class SGD:
    """``v = momentum * v - lr * g; theta = theta + v`` (Sutskever et al. 2013, eq. 1 and 2).

    With ``nesterov=True`` the parameters move by ``momentum * v - lr * g`` with the new v, the
    form of Bengio et al. 2013 that PyTorch, Keras and scikit-learn use.

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    momentum : float
        In [0, 1).
    nesterov : bool

    Raises
    ------
    ValueError
        If a setting is out of its range, or `nesterov` is True and `momentum` is 0.

    Examples
    --------
    >>> SGD(0.1).step(np.array([1.0]), np.array([2.0]), Empty(), 1, 0.1)[0]
    array([0.8])
    """

    learning_rate: LearningRate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        check_learning_rate(self.learning_rate)
        checks.below_one("momentum", self.momentum)
        checks.boolean("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("momentum must be in (0, 1) with nesterov=True, got 0")

    def start(self, theta: Flat) -> Empty | Momentum:
        return Momentum(np.zeros_like(theta)) if self.momentum else Empty()

    def step(
        self, theta: Flat, gradient: Flat, state: OptimizerState, t: Count, learning_rate: float
    ) -> tuple[Flat, Empty | Momentum]:
        move = -learning_rate * gradient
        if not self.momentum:
            return theta + move, Empty()
        velocity = self.momentum * state.velocity + move
        ahead = self.momentum * velocity + move if self.nesterov else velocity
        return theta + ahead, Momentum(velocity)

    def explain(self, part: UpdatePart) -> None:
        theta, g, rate = part.theta, part.gradient, part.rate
        if not self.momentum:
            part.new.each(lambda at: theta[at] - rate[()] * g[at])
            return
        old, new, m = part.before.velocity, part.after.velocity, self.momentum
        new.each(lambda at: m * old[at] - rate[()] * g[at])
        if self.nesterov:
            part.new.each(lambda at: theta[at] + m * new[at] - rate[()] * g[at])
        else:
            part.new.each(lambda at: theta[at] + new[at])
