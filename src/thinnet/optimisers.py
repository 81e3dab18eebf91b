"""Optimisers: a frozen description, a state NamedTuple, and a pure step over flat vectors.

``step(theta, gradient, state, t, learning_rate)`` returns the new parameters and the new state and
changes nothing.  `t` counts the steps an entry has been through, from 1: a number, or a vector
where entries are absent from some steps (`update`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat, Float
from thinnet.presence import Presence
from thinnet.schedules import Schedule

LearningRate: TypeAlias = float | Schedule
Count: TypeAlias = int | Float[Array, " size"]


class Empty(NamedTuple):
    """The state of an optimiser that remembers nothing."""


class Momentum(NamedTuple):
    velocity: Flat


class Squares(NamedTuple):
    squares: Flat


class Moments(NamedTuple):
    first: Flat
    second: Flat


@runtime_checkable
class Optimiser(Protocol):
    @property
    def learning_rate(self) -> LearningRate: ...

    def start(self, theta: Flat) -> Any:
        """The state before the first step."""
        ...

    def step(
        self, theta: Flat, gradient: Flat, state: Any, t: Count, learning_rate: float
    ) -> tuple[Flat, Any]: ...


def update(
    optimiser: Optimiser,
    theta: Flat,
    gradient: Flat,
    state: Iterable[Flat],
    step: int,
    learning_rate: float,
    presence: Presence | None = None,
) -> None:
    """Take step number `step` (from 0) in place; what is absent stays as it was.

    An entry that is present with probability p has been through ``1 + step * p`` steps when it is
    present in this one, in expectation; that is the count its bias correction uses.
    """
    kept: Any = True if presence is None else presence.kept
    t: Count = 1 + step if presence is None else 1 + step * presence.probability
    new_theta, new_state = optimiser.step(theta, gradient, state, t, learning_rate)
    np.copyto(theta, new_theta, where=kept)
    for old, new in zip(state, new_state, strict=True):
        np.copyto(old, new, where=kept)


def clip_norm(gradient: Flat, limit: float) -> None:
    """Scale `gradient` to the Euclidean norm `limit` where it is longer (Pascanu et al. 2013)."""
    norm = float(np.linalg.norm(gradient.astype(np.float64, copy=False)))
    if norm > limit:
        gradient *= gradient.dtype.type(limit / norm)


def _check_learning_rate(value: LearningRate) -> None:
    first = value.at(0) if isinstance(value, Schedule) else value
    checks.non_negative("learning_rate", first)


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
        If a setting is out of its range, or Nesterov's momentum is asked for without momentum.

    Examples
    --------
    >>> SGD(0.1).step(np.array([1.0]), np.array([2.0]), Empty(), 1, 0.1)[0]
    array([0.8])
    """

    learning_rate: LearningRate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        checks.below_one("momentum", self.momentum)
        checks.boolean("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("momentum must be in (0, 1) with nesterov=True, got 0")

    def start(self, theta: Flat) -> Empty | Momentum:
        return Momentum(np.zeros_like(theta)) if self.momentum else Empty()

    def step(
        self, theta: Flat, gradient: Flat, state: Any, t: Count, learning_rate: float
    ) -> tuple[Flat, Empty | Momentum]:
        move = -learning_rate * gradient
        if not self.momentum:
            return theta + move, Empty()
        velocity = self.momentum * state.velocity + move
        ahead = self.momentum * velocity + move if self.nesterov else velocity
        return theta + ahead, Momentum(velocity)


@dataclass(frozen=True, slots=True)
class Adagrad:
    """``G = G + g^2; theta = theta - lr * g / (sqrt(G) + epsilon)`` (Duchi et al. 2011).

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    epsilon : float
        Above 0.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> optimiser, theta = Adagrad(0.1), np.array([1.0])
    >>> optimiser.step(theta, np.array([2.0]), optimiser.start(theta), 1, 0.1)[0].round(6)
    array([0.9])
    """

    learning_rate: LearningRate = 0.01
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        checks.positive("epsilon", self.epsilon)

    def start(self, theta: Flat) -> Squares:
        return Squares(np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Squares, t: Count, learning_rate: float
    ) -> tuple[Flat, Squares]:
        squares = state.squares + gradient * gradient
        move = learning_rate * gradient / (np.sqrt(squares) + self.epsilon)
        return theta - move, Squares(squares)


@dataclass(frozen=True, slots=True)
class RMSprop:
    """``G = rho * G + (1 - rho) * g^2; theta = theta - lr * g / (sqrt(G) + epsilon)``.

    (Tieleman and Hinton 2012, lecture 6.5.)

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    rho : float
        In [0, 1).
    epsilon : float
        Above 0.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> RMSprop().rho
    0.9
    """

    learning_rate: LearningRate = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        checks.below_one("rho", self.rho)
        checks.positive("epsilon", self.epsilon)

    def start(self, theta: Flat) -> Squares:
        return Squares(np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Squares, t: Count, learning_rate: float
    ) -> tuple[Flat, Squares]:
        squares = self.rho * state.squares + (1 - self.rho) * gradient * gradient
        move = learning_rate * gradient / (np.sqrt(squares) + self.epsilon)
        return theta - move, Squares(squares)


@dataclass(frozen=True, slots=True)
class Adam:
    """Kingma and Ba 2015, algorithm 1: bias-corrected moments, epsilon beside the root.

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Above 0.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    Under a constant gradient every step is one learning rate long:

    >>> optimiser, theta = Adam(0.1), np.array([1.0])
    >>> optimiser.step(theta, np.array([7.0]), optimiser.start(theta), 1, 0.1)[0].round(6)
    array([0.9])
    """

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_learning_rate(self.learning_rate)
        checks.below_one("beta_1", self.beta_1)
        checks.below_one("beta_2", self.beta_2)
        checks.positive("epsilon", self.epsilon)

    def start(self, theta: Flat) -> Moments:
        return Moments(np.zeros_like(theta), np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Moments, t: Count, learning_rate: float
    ) -> tuple[Flat, Moments]:
        m = self.beta_1 * state.first + (1 - self.beta_1) * gradient
        v = self.beta_2 * state.second + (1 - self.beta_2) * gradient * gradient
        m_hat = m / _typed(1 - self.beta_1**t, m)
        v_hat = v / _typed(1 - self.beta_2**t, v)
        return theta - learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon), Moments(m, v)


def _typed(value: Any, like: Flat) -> Any:
    return np.asarray(value, like.dtype)


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam beside ``theta = theta - lr * weight_decay * theta`` (Loshchilov and Hutter 2019).

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    weight_decay : float
        At least 0; acts on every parameter, biases included, as in PyTorch.
    beta_1, beta_2, epsilon : float
        As in `Adam`.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> AdamW(0.01).weight_decay
    0.01
    """

    learning_rate: LearningRate = 0.001
    weight_decay: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self._adam()
        checks.non_negative("weight_decay", self.weight_decay)

    def _adam(self) -> Adam:
        return Adam(self.learning_rate, self.beta_1, self.beta_2, self.epsilon)

    def start(self, theta: Flat) -> Moments:
        return self._adam().start(theta)

    def step(
        self, theta: Flat, gradient: Flat, state: Moments, t: Count, learning_rate: float
    ) -> tuple[Flat, Moments]:
        decayed = theta - learning_rate * self.weight_decay * theta
        return self._adam().step(decayed, gradient, state, t, learning_rate)
