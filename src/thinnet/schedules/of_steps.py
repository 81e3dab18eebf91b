"""Schedules that depend only on the number of the step."""

from __future__ import annotations

from dataclasses import dataclass

from thinnet import checks
from thinnet.arithmetic import cos_sin, whole_power
from thinnet.schedules.base import Schedule


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value at every step.

    Parameters
    ----------
    value : float
        Any finite number.

    Raises
    ------
    ValueError
        If `value` is not a finite number.

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

    Parameters
    ----------
    initial : float
        The value at step 0.
    decay : float
        At least 0, per step: after ``1 / decay`` steps half of `initial` is left.

    Raises
    ------
    ValueError
        If a setting is out of its range.

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

    Parameters
    ----------
    initial, final : float
        The values at step 0 and from step `n_steps` on.
    n_steps : int
        At least 1.

    Raises
    ------
    ValueError
        If a setting is out of its range.

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

    Parameters
    ----------
    initial : float
        The value of the first `every` steps.
    factor : float
        Above 0; below 1 the value falls.
    every : int
        Steps from one change to the next, at least 1.

    Raises
    ------
    ValueError
        If a setting is out of its range.

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
        return self.initial * whole_power(self.factor, step // self.every)


@dataclass(frozen=True, slots=True)
class Cosine:
    """Half a cosine from `initial` to `final` over `n_steps` (Loshchilov and Hutter 2017, eq. 5).

    Parameters
    ----------
    initial : float
        The value at step 0.
    n_steps : int
        At least 1.
    final : float
        The value from step `n_steps` on.

    Raises
    ------
    ValueError
        If a setting is out of its range.

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
        return self.final + (self.initial - self.final) * (1 + float(cos_sin(done / 2)[0])) / 2


@dataclass(frozen=True, slots=True)
class Warmup:
    """Multiply another schedule by ``(step + 1) / n_steps`` in the first `n_steps` steps.

    Parameters
    ----------
    after : float or Schedule
        The schedule to warm up; it counts its steps from 0 too, not from the end of the warm-up.
    n_steps : int
        At least 1; the value is that of `after` from step ``n_steps - 1`` on.

    Raises
    ------
    ValueError
        If a setting is out of its range, or `after` is a `ReduceOnPlateau`.

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
        if getattr(self.after, "watches_loss", False):
            raise ValueError(
                "after must not be a ReduceOnPlateau, which has to stand outside: "
                f"ReduceOnPlateau(Warmup(...)), got {self.after!r}"
            )

    def at(self, step: int) -> float:
        return as_schedule(self.after).at(step) * min((step + 1) / self.n_steps, 1.0)


def as_schedule(value: float | Schedule) -> Schedule:
    """`value` itself if it is a schedule, else a constant schedule of it."""
    return value if isinstance(value, Schedule) else Constant(value)
