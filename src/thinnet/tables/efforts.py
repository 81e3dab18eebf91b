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
    rate, rate_of_centered : float
        The learning rate of networks whose inputs are as they are, or have the mean 0, with which
        larger steps go well.
    epochs, steps : int
        The least numbers without an improvement that end training.
    """

    width: int
    rate: float
    rate_of_centered: float
    epochs: int
    steps: int


EFFORTS: Final = {
    "normal": Effort(width=128, rate=0.001, rate_of_centered=0.002, epochs=6, steps=200),
    "high": Effort(width=256, rate=0.001, rate_of_centered=0.001, epochs=20, steps=400),
}


def check(estimator: Any) -> None:
    """ValueError for a setting of effort that is out of its range."""
    checks.one_of("effort", estimator.effort, tuple(EFFORTS))
    hidden_widths(estimator)
    if estimator.learning_rate_init != "auto":
        checks.positive("learning_rate_init", estimator.learning_rate_init)
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


def learning_rate(estimator: Any) -> float:
    """That of networks whose inputs are as the fitted encoder has them."""
    effort, wanted = EFFORTS[estimator.effort], estimator.learning_rate_init
    if wanted != "auto":
        return float(wanted)
    return effort.rate_of_centered if estimator.encoder_.center else effort.rate


def patience(estimator: Any, steps_of_epoch: float) -> int:
    """The number of epochs without an improvement that ends training."""
    effort, wanted = EFFORTS[estimator.effort], estimator.n_iter_no_change
    least = effort.epochs if wanted == "auto" else wanted
    return max(least, math.ceil(effort.steps / steps_of_epoch))
