"""A running average of the weights, which is measured and handed back in their place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat
from thinnet.network import Network

HEAD_START: Final = 10  # the average holds at first about a tenth of the steps so far


@dataclass(frozen=True, slots=True)
class WeightAverage:
    """The exponential moving average of a training's weights (Polyak and Juditsky 1992).

    After steps `every`, 2 `every`, ... of the training, and at the ends of epochs, the average
    moves: ``mean += share * (theta - mean)`` with ``share = 1 - min(decay, (1 + t) / (10 + t)) **
    n``, where t is the number of steps taken, n of them since it moved before.
    Validation, early stopping and the clean training score take the averaged weights, and the
    network has them when training ends; steps go on from its own.  Running statistics of BatchNorm
    are averages already and stay as they are.

    Noise of steps cancels out in the average, so that a constant learning rate ends where a falling
    one does, without a number of epochs that must be known before.

    Parameters
    ----------
    decay : float
        The part of the average that a step leaves, in [0, 1): the average holds about the last
        ``1 / (1 - decay)`` steps.
    every : int
        Steps between additions to the average, at least 1.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> rule = WeightAverage(0.98)
    >>> round(rule.share(t=1, steps=1), 2), round(rule.share(t=1000, steps=1), 2)
    (0.82, 0.02)
    """

    decay: float = 0.99
    every: int = 10

    def __post_init__(self) -> None:
        checks.below_one("decay", self.decay)
        checks.integer("every", self.every, 1)

    def share(self, t: int, steps: int) -> float:
        """What the weights are multiplied by after step number `t`, counted from 1."""
        left = min(float(self.decay), (1 + t) / (HEAD_START + t))
        return 1 - math.prod([left] * steps)


class Average:
    """The running average of a network's weights; without a rule there is none."""

    def __init__(self, rule: WeightAverage | None, network: Network) -> None:
        self._rule, self._network = rule, network
        self.mean: Flat | None = None if rule is None else network.theta.copy()
        self._away = np.empty(0 if rule is None else network.theta.size, network.dtype)

    def take(self, t: int, of_epoch: int, is_last: bool) -> None:
        """Move towards the weights after step number `t`, if it is time.

        That step is number `of_epoch` of its epoch, from 1, and the last one or not.
        """
        if self._rule is None or self.mean is None or not (is_last or t % self._rule.every == 0):
            return
        before = max((t - 1) // self._rule.every * self._rule.every, t - of_epoch)
        share = self.mean.dtype.type(self._rule.share(t, t - before))
        np.subtract(self._network.theta, self.mean, out=self._away)
        self._away *= share
        self.mean += self._away

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Within this context the network has the averaged weights, if there are any."""
        if self.mean is None:
            yield
            return
        theta = self._network.theta.copy()
        self._network.theta[:] = self.mean
        try:
            yield
        finally:
            self._network.theta[:] = theta

    def arrays(self) -> dict[str, Array]:
        """What a checkpoint keeps."""
        return {} if self.mean is None else {"average": self.mean}
