"""Settings that change with the optimiser step: learning rates, and dropout rates too.

Each is a frozen description with one method, ``at(step)``; steps are counted from 0.
"""

from thinnet.schedules.base import Rate, Schedule, check_rate, check_scheduled
from thinnet.schedules.of_steps import (
    Constant,
    Cosine,
    InverseTime,
    Linear,
    Step,
    Warmup,
    as_schedule,
)
from thinnet.schedules.plateau import ReduceOnPlateau

__all__ = [
    "Constant",
    "Cosine",
    "InverseTime",
    "Linear",
    "Rate",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "Warmup",
    "as_schedule",
    "check_rate",
    "check_scheduled",
]
