"""The loss whose minimum is at quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Final

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_sum, normal_quantile
from thinnet.arrays import Array, Features, Out, Rows, TargetLike, Weights
from thinnet.formulas.explaining import LossPart
from thinnet.formulas.trees import Node, cases, total
from thinnet.losses.base import (
    difference,
    mean_of_outputs,
    r_squared,
    real_targets,
    weighted_mean,
    width_of,
)

MEDIAN: Final = 0.5
LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)  # that estimators learn by default


def checked_levels(name: str, levels: float | Sequence[float]) -> tuple[float, ...]:
    """One level or several as a tuple; ValueError unless they ascend in (0, 1)."""
    given: Any = [levels] if checks.is_real(levels) else levels
    fits = isinstance(given, list | tuple | np.ndarray) and len(given) > 0
    fits = fits and all(checks.is_real(level) and 0 < level < 1 for level in given)
    fits = fits and all(low < high for low, high in pairwise(given))
    checks.must(fits, name, "a number in (0, 1), or several that ascend", levels)
    return tuple(float(level) for level in given)


@dataclass(frozen=True, slots=True)
class Pinball:
    """``max(p (y - z), (p - 1) (y - z))``, the mean over outputs (Koenker and Bassett 1978).

    Its mean over targets is least where z is their quantile at level p.  Outputs lie level by
    level: those of the first level for all targets of a row, then those of the second.  The
    derivative is 0 at ``z = y``.

    Parameters
    ----------
    quantile : float or sequence of float
        Levels in (0, 1), ascending.

    Raises
    ------
    ValueError
        If levels don't ascend in (0, 1), or the outputs are no multiple of them.

    References
    ----------
    Koenker and Bassett 1978, "Regression quantiles", eq. 3.1; order of quantiles that cross:
    Chernozhukov, Fernandez-Val and Galichon 2010, "Quantile and probability curves without
    crossing".

    Examples
    --------
    >>> loss = Pinball((0.25, 0.75))
    >>> loss(np.array([[1.0, 3.0]]), np.tile(np.array([[2.0]]), 2))
    (0.25, array([[-0.125,  0.125]]))
    """

    quantile: float | Sequence[float] = MEDIAN

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantile", checked_levels("quantile", self.quantile))

    @property
    def levels(self) -> tuple[float, ...]:
        return checked_levels("quantile", self.quantile)

    def targets(self, y: TargetLike, out: Features) -> Array:
        """The targets, repeated for each level."""
        width, n = width_of(self, out), len(self.levels)
        if width % n:
            raise ValueError(f"{self} must get a multiple of {n} outputs, got {width}")
        return np.tile(real_targets(y, (width // n,)), n)

    def rows(self, outputs: Out, targets: Array) -> tuple[Weights, Out]:
        error = difference(outputs, targets)
        p = np.repeat(self.levels, error.shape[1] // len(self.levels))
        slope = np.where(error > 0, 1 - p, np.where(error < 0, -p, error))
        return mean_of_outputs(slope * error, slope, outputs)

    def predict(self, outputs: Out) -> Rows:
        """The median of each target, between the nearest levels; with one level its quantile."""
        found = self.ascending(outputs)
        weights = median_weights(self.levels)[:, None, None]
        middle = lane_sum(weights * np.moveaxis(found, 1, 0))
        return np.asarray(middle).astype(outputs.dtype)

    def ascending(self, outputs: Array) -> Array:
        """Quantiles that don't cross, (..., levels, targets), of outputs (..., width).

        Sorting them makes no loss larger.
        """
        n = len(self.levels)
        apart = outputs.reshape(*outputs.shape[:-1], n, outputs.shape[-1] // n)
        return np.sort(apart.astype(np.float64), axis=-2)

    def score(self, outputs: Out, targets: Array, weights: Weights | None = None) -> float:
        n_targets = targets.shape[1] // len(self.levels)
        return r_squared(self.predict(outputs), targets[:, :n_targets], weights)

    def explain(self, part: LossPart) -> None:
        z, t, width = part.z, part.t, part.z.shape[1]
        level = np.repeat(self.levels, width // len(self.levels)).tolist()

        def slope(i: int, j: int) -> Node:
            p = level[j]
            return cases((1 - p, z[i, j], ">", t[i, j]), (-p, z[i, j], "<", t[i, j]), otherwise=0)

        part.rows(
            lambda i: total(slope(i, j) * (z[i, j] - t[i, j]) for j in range(width)) / width,
            lambda i, j: slope(i, j) / width,
        )


def median_weights(levels: Sequence[float]) -> Array:
    """What the median is of the quantiles: linear in normal scores, also beyond the levels."""
    weights = np.zeros(len(levels))
    if len(levels) == 1:
        return np.ones(1)
    scores = normal_quantile(np.array(levels))
    at = int(np.clip(np.searchsorted(scores, 0.0, side="right") - 1, 0, len(levels) - 2))
    share = -scores[at] / (scores[at + 1] - scores[at])
    weights[at], weights[at + 1] = 1 - share, share
    return weights
