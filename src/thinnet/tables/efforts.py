"""What `effort` and settings that are 'auto' stand for."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from thinnet import checks


class Effort(NamedTuple):
    """How large networks are, and how long they are trained.

    Attributes
    ----------
    width : int
        Units of the hidden layer.
    epochs, steps : int
        The least numbers without an improvement that end training; twice as many with few rows,
        which are held out in small numbers, and learned in no time.
    """

    width: int
    epochs: int
    steps: int


EFFORTS: Final = {
    "normal": Effort(width=128, epochs=6, steps=200),
    "high": Effort(width=256, epochs=20, steps=400),
}
FEW_ROWS: Final = 2000  # with fewer rows the final networks are trained on all of them


def check(estimator: Any) -> None:
    """ValueError for a setting of effort that is out of its range."""
    checks.one_of("effort", estimator.effort, tuple(EFFORTS))
    hidden_widths(estimator)
    if estimator.n_iter_no_change != "auto":
        checks.integer("n_iter_no_change", estimator.n_iter_no_change, 1)
    if estimator.time_limit is not None:
        checks.positive("time_limit", estimator.time_limit)


def hidden_widths(estimator: Any) -> list[int]:
    wanted = estimator.hidden_layer_sizes
    if isinstance(wanted, str):
        checks.one_of("hidden_layer_sizes", wanted, ("auto",))
        return [EFFORTS[estimator.effort].width]
    return [checks.integer("each of hidden_layer_sizes", width, 1) for width in wanted]


def patience(estimator: Any, rows: int, batch: int) -> int:
    """The number of epochs without an improvement that ends training."""
    effort, wanted = EFFORTS[estimator.effort], estimator.n_iter_no_change
    times = 2 if rows < FEW_ROWS else 1
    least = times * effort.epochs if wanted == "auto" else wanted
    return max(least, math.ceil(times * effort.steps * batch / rows))
