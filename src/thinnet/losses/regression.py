"""Losses for numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thinnet import checks
from thinnet.arithmetic import HALF_LOG_2_PI, exp, log_gamma
from thinnet.arrays import Array, Features, Out, Rows, TargetLike, Weights
from thinnet.formulas.explaining import LossPart
from thinnet.formulas.trees import ABS, EXP, LOG, LOG_GAMMA, SIGN, Node, cases, node, total
from thinnet.losses.base import (
    difference,
    mean_of_outputs,
    outputs_themselves,
    r_squared_score,
    real,
    real_targets,
    weighted_mean,
    width_of,
)


@dataclass(frozen=True, slots=True)
class SquaredError:
    """``(z - y)^2``, the mean over outputs, without the factor 1/2 of scikit-learn's MLP.

    Examples
    --------
    >>> SquaredError()(np.array([[3.0]]), np.array([[1.0]]))
    (4.0, array([[4.]]))
    """

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean
    targets = real
    score = r_squared_score
    predict = outputs_themselves

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        error = difference(outputs, targets)
        return mean_of_outputs(error * error, 2 * error, outputs)

    def explain(self, part: LossPart) -> None:
        part.mean_of_outputs(lambda z, t: (z - t) ** 2, lambda z, t: 2 * (z - t))


@dataclass(frozen=True, slots=True)
class AbsoluteError:
    """``|z - y|``, the mean over outputs, with derivative 0 at 0.

    Examples
    --------
    >>> AbsoluteError()(np.array([[3.0]]), np.array([[1.0]]))
    (2.0, array([[1.]]))
    """

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean
    targets = real
    score = r_squared_score
    predict = outputs_themselves

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        error = difference(outputs, targets)
        return mean_of_outputs(np.abs(error), np.sign(error), outputs)

    def explain(self, part: LossPart) -> None:
        part.mean_of_outputs(lambda z, t: ABS(z - t), lambda z, t: SIGN(z - t))


@dataclass(frozen=True, slots=True)
class Huber:
    """``e^2 / 2`` up to `delta`, ``delta * (|e| - delta / 2)`` beyond (Huber 1964, eq. 3.2).

    Parameters
    ----------
    delta : float
        The error at which the square turns into a straight line, in the target's units; above 0.

    Raises
    ------
    ValueError
        If `delta` is not above 0.

    Examples
    --------
    >>> Huber(delta=1.0)(np.array([[3.0]]), np.array([[1.0]]))
    (1.5, array([[1.]]))
    """

    delta: float = 1.0

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean
    targets = real
    score = r_squared_score
    predict = outputs_themselves

    def __post_init__(self) -> None:
        checks.positive("delta", self.delta)

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        error = difference(outputs, targets)
        slope = np.clip(error, -float(self.delta), float(self.delta))
        return mean_of_outputs(slope * (error - slope / 2), slope, outputs)

    def explain(self, part: LossPart) -> None:
        delta = float(self.delta)
        part.mean_of_outputs(
            lambda z, t: cases(
                ((z - t) ** 2 / 2, ABS(z - t), "<=", delta),
                otherwise=delta * (ABS(z - t) - delta / 2),
            ),
            lambda z, t: cases((z - t, ABS(z - t), "<=", delta), otherwise=delta * SIGN(z - t)),
        )


@dataclass(frozen=True, slots=True)
class GaussianNLL:
    """``(log 2 pi + s + (y - mu)^2 exp(-s)) / 2``, the mean over targets (Nix and Weigend 1994).

    The first half of the outputs are the means mu, the second half the log variances s.

    Raises
    ------
    ValueError
        If the number of outputs is odd, or the targets are not half as many.

    Examples
    --------
    >>> round(GaussianNLL()(np.array([[0.0, 0.0]]), np.array([[0.0]]))[0], 4)
    0.9189
    """

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean
    score = r_squared_score

    def targets(self, y: TargetLike, out: Features) -> Array:
        width = width_of(self, out)
        if width % 2:
            raise ValueError(f"{self} must get an even number of outputs, got {width}")
        return real_targets(y, (width // 2,))

    def rows(self, outputs: Out, targets: Array) -> tuple[Weights, Out]:
        mu, s = np.split(outputs.astype(np.float64), 2, axis=1)
        error = difference(mu, targets)
        precision = exp(-s)
        square = error * error * precision
        each = (2 * HALF_LOG_2_PI + s + square) / 2
        slopes = np.hstack([error * precision, (1 - square) / 2])
        return mean_of_outputs(each, slopes, outputs)

    def predict(self, outputs: Out) -> Rows:
        """The means of the targets."""
        return np.split(outputs, 2, axis=1)[0]

    def explain(self, part: LossPart) -> None:
        z, t, d = part.z, part.t, part.z.shape[1] // 2

        def square(i: int, j: int) -> Node:
            return (t[i, j] - z[i, j]) ** 2 * EXP(-z[i, d + j])

        part.rows(
            lambda i: (
                total((LOG(2 * node(math.pi)) + z[i, d + j] + square(i, j)) / 2 for j in range(d))
                / d
            ),
            lambda i, j: (
                ((z[i, j] - t[i, j]) * EXP(-z[i, d + j]) if j < d else (1 - square(i, j - d)) / 2)
                / d
            ),
        )


@dataclass(frozen=True, slots=True)
class Poisson:
    """``exp(z) - y z + log(y!)``, the mean over outputs: z is the log of the rate; y >= 0.

    Raises
    ------
    ValueError
        If a target is negative.

    Examples
    --------
    >>> Poisson()(np.array([[0.0]]), np.array([[1.0]]))
    (1.0, array([[0.]]))
    """

    score_name: ClassVar[str] = "R^2"
    __call__ = weighted_mean
    score = r_squared_score

    def targets(self, y: TargetLike, out: Features) -> Array:
        y = real_targets(y, out)
        if (y < 0).any():
            row = int(np.argwhere(y < 0)[0][0])
            raise ValueError(f"y must be >= 0 for Poisson, got {y[y < 0][0]:g} in row {row}")
        return y

    def rows(self, outputs: Rows, targets: Array) -> tuple[Weights, Rows]:
        z, rate = outputs.astype(np.float64), exp(outputs)
        each = rate - targets * z + log_gamma(targets + 1.0)
        return mean_of_outputs(each, rate - targets, outputs)

    def predict(self, outputs: Rows) -> Rows:
        """The means of the counts, ``exp(z)``."""
        return exp(outputs).astype(outputs.dtype)

    def explain(self, part: LossPart) -> None:
        part.mean_of_outputs(
            lambda z, t: EXP(z) - t * z + LOG_GAMMA(t + 1), lambda z, t: EXP(z) - t
        )
