"""The rate that a layer learns, as a logit among its parameters."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from scipy import special

from thinnet import masks
from thinnet.arrays import Array
from thinnet.passes import Site

MAX_LOGIT: Final = math.log(
    masks.LEVELS - 1
)  # the logit of the highest rate whose threshold is below 1


class Learned(NamedTuple):
    """A logit inside the range that masks can have, with its rate and keep probability."""

    logit: float
    rate: float
    q: float  # 1 - rate, without the rounding of 1 near a rate of 0


def learned(site: Site) -> Learned:
    logit = min(max(float(site.p.logit[0]), -MAX_LOGIT), MAX_LOGIT)
    return Learned(logit, float(special.expit(logit)), float(special.expit(-logit)))


def sum_of_squares(W: Array) -> float:
    return float(np.square(W, dtype=np.float64).sum())


def inward(site: Site, slope: float) -> float:
    """`slope`, or 0 if the logit is beyond its limit and would be moved further away."""
    logit = float(site.p.logit[0])
    return 0.0 if abs(logit) > MAX_LOGIT and slope * logit < 0 else slope
