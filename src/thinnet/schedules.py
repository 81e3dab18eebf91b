"""Settings that change with the optimiser step: learning rates, and dropout rates too.

Each is a frozen description with one method, ``at(step)``, step counted from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from thinnet import checks
from thinnet.run import Schedule

__all__ = [
    "Constant",
    "Cosine",
    "InverseTime",
    "Linear",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "Warmup",
    "as_schedule",
]


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value at every step.

    Examples
    --------
    >>> Constant(0.1).at(1000)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        checks.finite_number("value", self.value)

    def at(self, step: int) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class InverseTime:
    """``initial / (1 + decay * step)``, the decay of Kinsley and Kukiela's textbook and Keras.

    Examples
    --------
    >>> InverseTime(0.05, decay=1e-3).at(1000)
    0.025
    """

    initial: float
    decay: float

    def __post_init__(self) -> None:
        checks.finite_number("initial", self.initial)
        checks.non_negative("decay", self.decay)

    def at(self, step: int) -> float:
        return self.initial / (1 + self.decay * step)


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight line from `initial` to `final` over `n_steps`, then `final`.

    Examples
    --------
    >>> Linear(0.0, 0.5, n_steps=100).at(50)
    0.25
    """

    initial: float
    final: float
    n_steps: int

    def __post_init__(self) -> None:
        checks.finite_number("initial", self.initial)
        checks.finite_number("final", self.final)
        checks.integer("n_steps", self.n_steps, 1)

    def at(self, step: int) -> float:
        done = min(step / self.n_steps, 1.0)
        return self.initial + (self.final - self.initial) * done


@dataclass(frozen=True, slots=True)
class Step:
    """``initial * factor ** (step // every)``.

    Examples
    --------
    >>> Step(1.0, factor=0.5, every=10).at(25)
    0.25
    """

    initial: float
    factor: float
    every: int

    def __post_init__(self) -> None:
        checks.finite_number("initial", self.initial)
        checks.positive("factor", self.factor)
        checks.integer("every", self.every, 1)

    def at(self, step: int) -> float:
        return float(self.initial * self.factor ** (step // self.every))


@dataclass(frozen=True, slots=True)
class Cosine:
    """Half a cosine from `initial` to `final` over `n_steps` (Loshchilov and Hutter 2017, eq. 5).

    Examples
    --------
    >>> Cosine(1.0, n_steps=100).at(50)
    0.5
    """

    initial: float
    n_steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        checks.finite_number("initial", self.initial)
        checks.finite_number("final", self.final)
        checks.integer("n_steps", self.n_steps, 1)

    def at(self, step: int) -> float:
        done = min(step / self.n_steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, slots=True)
class Warmup:
    """Another schedule, multiplied by ``(step + 1) / n_steps`` in the first `n_steps`.

    Examples
    --------
    >>> Warmup(Constant(1.0), n_steps=4).at(1)
    0.5
    """

    after: float | Schedule
    n_steps: int

    def __post_init__(self) -> None:
        as_schedule(self.after)
        checks.integer("n_steps", self.n_steps, 1)
        if isinstance(self.after, ReduceOnPlateau):
            raise ValueError(
                "after must not be a ReduceOnPlateau, which has to stand outside: "
                f"ReduceOnPlateau(Warmup(...)), got {self.after!r}"
            )

    def at(self, step: int) -> float:
        return as_schedule(self.after).at(step) * min((step + 1) / self.n_steps, 1.0)


class Plateau(NamedTuple):
    """How long a monitored loss has not improved, and by what the learning rate was cut."""

    best: float = math.inf
    waited: int = 0
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class ReduceOnPlateau:
    """Multiply the learning rate by `factor` when the monitored loss has stopped falling.

    It watches the validation loss where there is one, else the clean training loss.

    Parameters
    ----------
    initial : float or Schedule
        The learning rate before any cut.
    factor : float
        In (0, 1).
    patience : int
        Evaluations without an improvement of more than `min_delta` before a cut.
    min_delta : float
        An improvement is a fall of the loss by more than this, an absolute number.
    min_scale : float
        The product of all cuts stays at or above this.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> rule, state = ReduceOnPlateau(0.1, factor=0.5, patience=1), Plateau()
    >>> for loss in (1.0, 1.0, 1.0):
    ...     state = rule.after(state, loss)
    >>> state.scale
    0.25
    """

    initial: float | Schedule
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    min_scale: float = 0.0

    def __post_init__(self) -> None:
        as_schedule(self.initial)
        checks.must(checks.below_one("factor", self.factor) > 0, "factor", "in (0, 1)", self.factor)
        checks.integer("patience", self.patience, 1)
        checks.non_negative("min_delta", self.min_delta)
        checks.unit_interval("min_scale", self.min_scale)

    def at(self, step: int) -> float:
        return as_schedule(self.initial).at(step)

    def after(self, state: Plateau, loss: float) -> Plateau:
        """The state after one more evaluation."""
        if loss < state.best - self.min_delta:
            return Plateau(loss, 0, state.scale)
        if state.waited + 1 < self.patience:
            return state._replace(waited=state.waited + 1)
        return Plateau(state.best, 0, max(state.scale * self.factor, self.min_scale))


def as_schedule(value: float | Schedule) -> Schedule:
    """`value` itself, or a constant schedule of a number."""
    return value if isinstance(value, Schedule) else Constant(value)
