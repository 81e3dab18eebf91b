"""One step of an optimiser over one row of parameters: compiled twins of `thinnet.optimizers`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thinnet.engine.aliases import Body, Bytes, Kind, Number, Numbers, Reals
from thinnet.engine.compile import overload
from thinnet.engine.kernels.functions import fma
from thinnet.engine.kernels.logarithms import power
from thinnet.engine.kernels.memory import address_of, view
from thinnet.engine.kernels.sums import lane_squares
from thinnet.engine.linking import part
from thinnet.engine.opcodes import ADAGRAD, ADAM, DESCENT, MOMENTUM, NESTEROV


@part
def penalise(w: Numbers, l1: float, l2: float, g: Numbers) -> None:
    """``g += l1 * sign(w) + 2 * l2 * w``."""
    one, two = g.dtype.type(l1), g.dtype.type(2 * l2)
    if l1 != 0:
        for i in range(g.size):
            g[i] += one * np.sign(w[i])
    if l2 != 0:
        for i in range(g.size):
            g[i] = fma(two, w[i], g[i])


EXPONENT_32, EXPONENT_64 = np.int32(0xFF << 23), np.int64(0x7FF << 52)  # of infinity and NaN


@part
def not_finite(values: Numbers) -> Number:
    """NaN if a value is not finite, else 0.

    Whole numbers may be joined in any order, so that the compiler finds vectors.
    """
    wrong = np.int64(0)
    if values.itemsize == 4:
        short = view(address_of(values), np.int32(0))
        for i in range(values.size):
            wrong |= np.int64((short[i] & EXPONENT_32) == EXPONENT_32)
    else:
        long = view(address_of(values), np.int64(0))
        for i in range(values.size):
            wrong |= np.int64((long[i] & EXPONENT_64) == EXPONENT_64)
    return values.dtype.type(np.nan if wrong else 0.0)


def stored(moment: Number) -> Number:
    """`moment`, or 0 where it is below the smallest normal number, which would be slow for long."""
    raise NotImplementedError


@overload(stored)
def _stored(moment: Kind) -> Body:
    least = np.finfo(f"f{moment.bitwidth // 8}").tiny
    none = type(least)(0)

    def code(moment: Number) -> Number:
        return none if abs(moment) < least else moment

    return code


class Pace(NamedTuple):
    """How far a step goes: the learning rate, and factors of Adam's moments and epsilon."""

    learning_rate: float
    first: float
    second: float
    epsilon: float


@part
def pace_at(code: int, settings: Reals, learning_rate: float, count: float) -> Pace:
    """The pace of step number `count` (from 1, not always whole)."""
    if code != ADAM:
        return Pace(learning_rate, 1.0, 1.0, 1.0)
    first = 1.0 / (1.0 - power(settings[1], np.float64(count)))
    second = 1.0 / (1.0 - power(settings[2], np.float64(count)))
    return Pace(learning_rate, first, second, np.sqrt(second) if settings[4] else 1.0)


@part
def update(
    code: int,
    settings: Reals,
    pace: Pace,
    present: Bytes,
    theta: Numbers,
    g: Numbers,
    first: Numbers,
    second: Numbers,
) -> None:
    """One step where `present`; the rest stays as it was.

    `settings`: (momentum,); (epsilon, rho); (epsilon, beta 1, beta 2, weight decay, epsilon hat).
    """
    if code == DESCENT:
        _descend(pace, present, theta, g)
    elif code in (MOMENTUM, NESTEROV):
        _roll(code, settings, pace, present, theta, g, first)
    elif code == ADAM:
        _adam(settings, pace, present, theta, g, first, second)
    else:
        _scaled_steps(code, settings, pace, present, theta, g, first)


@part
def _descend(pace: Pace, present: Bytes, theta: Numbers, g: Numbers) -> None:
    rate = theta.dtype.type(pace.learning_rate)
    for i in range(theta.size):
        theta[i] = fma(-rate, g[i], theta[i]) if present[i] else theta[i]


@part
def _roll(
    code: int,
    settings: Reals,
    pace: Pace,
    present: Bytes,
    theta: Numbers,
    g: Numbers,
    first: Numbers,
) -> None:
    """With momentum, Nesterov's or the plain one."""
    real = theta.dtype.type
    rate, mu, ahead = real(pace.learning_rate), real(settings[0]), code == NESTEROV
    for i in range(theta.size):
        step = rate * g[i]
        v = stored(fma(mu, first[i], -step))
        move = fma(mu, v, -step) if ahead else v
        theta[i] = theta[i] + move if present[i] else theta[i]
        first[i] = v if present[i] else first[i]


@part
def _scaled_steps(
    code: int,
    settings: Reals,
    pace: Pace,
    present: Bytes,
    theta: Numbers,
    g: Numbers,
    first: Numbers,
) -> None:
    """Divided by the root of the sum (Adagrad) or the running mean of squares."""
    real = theta.dtype.type
    rate, epsilon = real(pace.learning_rate), real(settings[0])
    kept = real(1 if code == ADAGRAD else settings[1])
    new_part = real(1 if code == ADAGRAD else 1 - settings[1])
    for i in range(theta.size):
        s = stored(fma(new_part, g[i] * g[i], kept * first[i]))
        new = theta[i] - rate * g[i] / (np.sqrt(s) + epsilon)
        theta[i] = new if present[i] else theta[i]
        first[i] = s if present[i] else first[i]


@part
def _adam(
    settings: Reals,
    pace: Pace,
    present: Bytes,
    theta: Numbers,
    g: Numbers,
    first: Numbers,
    second: Numbers,
) -> None:
    real = theta.dtype.type
    rate, epsilon = real(pace.learning_rate), real(settings[0] * pace.epsilon)
    beta_1, new_1 = real(settings[1]), real(1 - settings[1])
    beta_2, new_2 = real(settings[2]), real(1 - settings[2])
    by_1, by_2, decay = real(pace.first), real(pace.second), rate * real(settings[3])
    for i in range(theta.size):
        m = stored(fma(new_1, g[i], beta_1 * first[i]))
        v = stored(fma(new_2, g[i] * g[i], beta_2 * second[i]))
        move = rate * by_1 * m / (np.sqrt(v * by_2) + epsilon)
        new = fma(-decay, theta[i], theta[i]) - move
        theta[i] = new if present[i] else theta[i]
        first[i] = m if present[i] else first[i]
        second[i] = v if present[i] else second[i]


@part
def limit_norm(row: Numbers, most: float) -> None:
    """Scale `row` back to the Euclidean norm `most` where it is longer."""
    norm = np.sqrt(lane_squares(row))
    if norm > most:
        factor = row.dtype.type(most / norm)
        for i in range(row.size):
            row[i] *= factor
