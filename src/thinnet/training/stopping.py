"""Early stopping: a decision that is returned, never an exception."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from thinnet import checks
from thinnet.losses.scoring import Metric


class Waiting(NamedTuple):
    """The best monitored value so far, its epoch, and the evaluations since without a better."""

    best: float = -math.inf
    epoch: int = -1
    waited: int = 0


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stop when validation has not improved for `patience` evaluations; keep the best weights.

    Parameters
    ----------
    patience : int
        At least 1.
    min_delta : float
        An improvement is one by more than this, in the monitored value's own unit; at least 0.
    monitor : "loss", "score" or object
        Which of the two validation values to watch; or what to watch in place of the loss's own
        score: an object with ``score(outputs, targets, weights)``, a number of which larger is
        better, and its name, `score_name`.  It then gives all scores of the history.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> rule, state = EarlyStopping(patience=2), Waiting()
    >>> for epoch, loss in enumerate([1.0, 0.5, 0.6, 0.7]):
    ...     state = rule.after(state, epoch, loss, score=0.0)
    >>> state, rule.is_over(state)
    (Waiting(best=-0.5, epoch=1, waited=2), True)
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: Literal["loss", "score"] | Metric = "loss"

    def __post_init__(self) -> None:
        checks.integer("patience", self.patience, 1)
        checks.non_negative("min_delta", self.min_delta)
        if isinstance(self.monitor, type) or not isinstance(self.monitor, Metric):
            checks.one_of("monitor", self.monitor, ("loss", "score"))

    @property
    def metric(self) -> Metric | None:
        """What gives the scores, where it is not the loss."""
        return None if isinstance(self.monitor, str) else self.monitor

    @property
    def watched(self) -> str:
        """The name of the validation value to watch."""
        return self.monitor if isinstance(self.monitor, str) else self.monitor.score_name

    def after(self, state: Waiting, epoch: int, loss: float, score: float) -> Waiting:
        """The state after one more evaluation; `state.epoch` is `epoch` where it was the best."""
        value = -loss if self.monitor == "loss" else score
        value = -math.inf if math.isnan(value) else value
        if value > state.best + self.min_delta or state.epoch < 0:
            return Waiting(value, epoch, 0)
        return state._replace(waited=state.waited + 1)

    def is_over(self, state: Waiting) -> bool:
        return state.waited >= self.patience
