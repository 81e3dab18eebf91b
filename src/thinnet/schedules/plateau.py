"""A learning rate that is cut when the loss has stopped falling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from thinnet import checks
from thinnet.schedules.base import Schedule
from thinnet.schedules.of_steps import as_schedule


class Plateau(NamedTuple):
    """The best monitored loss, the evaluations since, and the factor that cuts have made.

    Parameters
    ----------
    best : float
        The lowest loss so far, of those that counted as an improvement.
    waited : int
        The number of evaluations since then or since the last cut.
    scale : float
        The product of all cuts, in [0, 1].

    Examples
    --------
    >>> ReduceOnPlateau(0.1).after(Plateau(), 2.5)
    Plateau(best=2.5, waited=0, scale=1.0)
    """

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
        In (0, 1); each cut multiplies by it.
    patience : int
        Evaluations in a row without an improvement before a cut, at least 1.
    min_delta : float
        At least 0: an improvement is a fall below the best loss by more than this, in its units.
    min_scale : float
        In [0, 1]: the product of all cuts stays at or above this.

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

    watches_loss: ClassVar[bool] = True

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
