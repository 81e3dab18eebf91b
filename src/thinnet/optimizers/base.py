"""Optimisers: a frozen description, a state NamedTuple, and a pure step over flat vectors.

``step(theta, gradient, state, t, learning_rate)`` returns new parameters and a new state and
changes nothing.  `t` counts the steps of an entry, this one included: a number, or a vector where
entries are absent from some steps (`update`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat, Float
from thinnet.layers.presence import Presence
from thinnet.schedules import Schedule, check_scheduled

LearningRate: TypeAlias = float | Schedule
Count: TypeAlias = int | Float[Array, " size"]


@runtime_checkable
class Optimizer(Protocol):
    @property
    def learning_rate(self) -> LearningRate: ...

    def start(self, theta: Flat) -> Any:
        """The state before the first step."""
        ...

    def step(
        self, theta: Flat, gradient: Flat, state: Any, t: Count, learning_rate: float
    ) -> tuple[Flat, Any]: ...


def update(
    optimizer: Optimizer,
    theta: Flat,
    gradient: Flat,
    state: Iterable[Flat],
    step: int,
    learning_rate: float,
    presence: Presence | None = None,
) -> None:
    """Take step number `step` (from 0) in place; absent entries stay as they were.

    An entry that is present in this step, and with probability p in each step before, has taken
    ``t = 1 + step * p`` steps in expectation; the bias correction uses this t.
    """
    kept: Any = True if presence is None else presence.kept
    t: Count = 1 + step if presence is None else 1 + step * presence.probability
    new_theta, new_state = optimizer.step(theta, gradient, state, t, learning_rate)
    np.copyto(theta, new_theta, where=kept)
    for old, new in zip(state, new_state, strict=True):
        np.copyto(old, new, where=kept)


def clip_norm(gradient: Flat, limit: float) -> None:
    """Scale `gradient` to the Euclidean norm `limit` where it is longer (Pascanu et al. 2013)."""
    norm = float(np.linalg.norm(gradient.astype(np.float64, copy=False)))
    if norm > limit:
        gradient *= gradient.dtype.type(limit / norm)


def check_learning_rate(value: LearningRate) -> None:
    check_scheduled("learning_rate", value, checks.non_negative)


def at_least_tiny(epsilon: float, like: Flat) -> float:
    """`epsilon`, or the smallest normal number of the type if that is larger."""
    return max(epsilon, float(np.finfo(like.dtype).tiny))
