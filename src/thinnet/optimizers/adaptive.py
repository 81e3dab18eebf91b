"""Optimisers that scale every parameter's step by its own gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Flat
from thinnet.formulas.explaining import UpdatePart
from thinnet.formulas.quantities import Quantity
from thinnet.formulas.trees import SQRT, Index, Node, node
from thinnet.optimizers.base import Count, LearningRate, at_least_tiny, check_learning_rate


class Squares(NamedTuple):
    squares: Flat


class Moments(NamedTuple):
    first: Flat
    second: Flat


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
    >>> optimizer, theta = Adagrad(0.1), np.array([1.0])
    >>> optimizer.step(theta, np.array([2.0]), optimizer.start(theta), 1, 0.1)[0].round(6)
    array([0.9])
    """

    learning_rate: LearningRate = 0.01
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        check_learning_rate(self.learning_rate)
        checks.positive("epsilon", self.epsilon)

    def start(self, theta: Flat) -> Squares:
        return Squares(np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Squares, t: Count, learning_rate: float
    ) -> tuple[Flat, Squares]:
        squares = state.squares + gradient * gradient
        move = learning_rate * gradient / (np.sqrt(squares) + at_least_tiny(self.epsilon, theta))
        return theta - move, Squares(squares)

    def explain(self, part: UpdatePart) -> None:
        g, old, new = part.gradient, part.before.squares, part.after.squares
        new.each(lambda at: old[at] + g[at] ** 2)
        part.new.each(
            lambda at: part.theta[at] - part.rate[()] * g[at] / _root(self, part, new, at)
        )


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
        check_learning_rate(self.learning_rate)
        checks.below_one("rho", self.rho)
        checks.positive("epsilon", self.epsilon)

    def start(self, theta: Flat) -> Squares:
        return Squares(np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Squares, t: Count, learning_rate: float
    ) -> tuple[Flat, Squares]:
        squares = self.rho * state.squares + (1 - self.rho) * gradient * gradient
        move = learning_rate * gradient / (np.sqrt(squares) + at_least_tiny(self.epsilon, theta))
        return theta - move, Squares(squares)

    def explain(self, part: UpdatePart) -> None:
        g, old, new = part.gradient, part.before.squares, part.after.squares
        new.each(lambda at: self.rho * old[at] + (1 - node(self.rho)) * g[at] ** 2)
        part.new.each(
            lambda at: part.theta[at] - part.rate[()] * g[at] / _root(self, part, new, at)
        )


@dataclass(frozen=True, slots=True)
class Adam:
    """``theta = theta - lr * m_hat / (sqrt(v_hat) + epsilon)`` (Kingma and Ba 2015, algorithm 1).

    The moments are ``m = beta_1 * m + (1 - beta_1) * g`` and ``v = beta_2 * v + (1 - beta_2) *
    g^2``; ``m_hat = m / (1 - beta_1^t)`` and ``v_hat = v / (1 - beta_2^t)`` are bias-corrected.

    Parameters
    ----------
    learning_rate : float or Schedule
        At least 0.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Above 0.
    epsilon_hat : bool
        Whether `epsilon` is added to the root of the uncorrected moment: the second form of the
        paper's section 2, which scikit-learn and Keras have.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    Under a constant gradient every step is one learning rate long:

    >>> optimizer, theta = Adam(0.1), np.array([1.0])
    >>> optimizer.step(theta, np.array([7.0]), optimizer.start(theta), 1, 0.1)[0].round(6)
    array([0.9])
    """

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    def __post_init__(self) -> None:
        check_learning_rate(self.learning_rate)
        checks.below_one("beta_1", self.beta_1)
        checks.below_one("beta_2", self.beta_2)
        checks.positive("epsilon", self.epsilon)
        checks.boolean("epsilon_hat", self.epsilon_hat)

    def start(self, theta: Flat) -> Moments:
        return Moments(np.zeros_like(theta), np.zeros_like(theta))

    def step(
        self, theta: Flat, gradient: Flat, state: Moments, t: Count, learning_rate: float
    ) -> tuple[Flat, Moments]:
        m = self.beta_1 * state.first + (1 - self.beta_1) * gradient
        v = self.beta_2 * state.second + (1 - self.beta_2) * gradient * gradient
        exact_bias_2 = np.asarray(1 - self.beta_2**t)
        bias_1, bias_2 = np.asarray(1 - self.beta_1**t, m.dtype), exact_bias_2.astype(v.dtype)
        m_hat = m / bias_1
        v_hat = v / bias_2
        epsilon = at_least_tiny(self.epsilon, theta)
        if self.epsilon_hat:
            epsilon = epsilon / np.sqrt(exact_bias_2)
        root = np.sqrt(v_hat) + np.asarray(epsilon, v.dtype)
        return theta - learning_rate * m_hat / root, Moments(m, v)

    def explain(self, part: UpdatePart) -> None:
        self.explain_from(part, lambda at: part.theta[at])

    def explain_from(self, part: UpdatePart, start: Callable[[Index], Node]) -> None:
        """`explain` of a step from what stands at `start` in place of the parameters."""
        g, (m_before, v_before), (m, v) = part.gradient, part.before, part.after
        m.each(lambda at: self.beta_1 * m_before[at] + (1 - node(self.beta_1)) * g[at])
        v.each(lambda at: self.beta_2 * v_before[at] + (1 - node(self.beta_2)) * g[at] ** 2)
        t = part.t.values
        m_hat = part.make("m_hat", m.values / (1 - self.beta_1**t))
        v_hat = part.make("v_hat", v.values / (1 - self.beta_2**t))
        m_hat.each(lambda at: m[at] / (1 - node(self.beta_1) ** part.count(at)))
        v_hat.each(lambda at: v[at] / (1 - node(self.beta_2) ** part.count(at)))
        tiny = node(at_least_tiny(self.epsilon, part.theta.values.ravel()))

        def epsilon(at: Index) -> Node:
            bias = 1 - node(self.beta_2) ** part.count(at)
            return tiny / SQRT(bias) if self.epsilon_hat else tiny

        part.new.each(
            lambda at: start(at) - part.rate[()] * m_hat[at] / (SQRT(v_hat[at]) + epsilon(at))
        )


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam, after ``theta = theta - lr * weight_decay * theta`` (Loshchilov and Hutter 2019).

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

    def explain(self, part: UpdatePart) -> None:
        theta, rate = part.theta, part.rate
        self._adam().explain_from(
            part, lambda at: theta[at] - rate[()] * self.weight_decay * theta[at]
        )


def _root(self: Adagrad | RMSprop, part: UpdatePart, squares: Quantity, at: Index) -> Node:
    """What a step is divided by."""
    return SQRT(squares[at]) + at_least_tiny(self.epsilon, part.theta.values.ravel())
