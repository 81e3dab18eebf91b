"""A setting that may change with the optimiser step, and how one is checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

from thinnet import checks


@runtime_checkable
class Schedule(Protocol):
    """A setting that changes with the number of the optimiser step."""

    def at(self, step: int) -> float: ...


Rate: TypeAlias = float | Schedule


def check_rate(rate: Rate, check: Callable[[str, Any], float] = checks.unit_interval) -> None:
    """ValueError unless `rate` is a probability of dropping, or a schedule of such."""
    if getattr(rate, "watches_loss", False):
        raise ValueError(f"rate must be a number or a schedule of the step alone, got {rate!r}")
    check_scheduled("rate", rate, check)


def check_scheduled(name: str, value: float | Schedule, check: Callable[[str, Any], float]) -> None:
    """Check a number, or a schedule at step 0 and at its `n_steps`, if it has them."""
    if isinstance(value, type) or not isinstance(value, Schedule):
        check(name, value)
        return
    for step in (0, getattr(value, "n_steps", 0)):
        check(f"{name} at step {step}", value.at(step))
