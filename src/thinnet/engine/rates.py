"""What the noise of a round is: thresholds and factors, from the rates at its step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Array
from thinnet.engine.drawing import Noisy
from thinnet.layers import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from thinnet.layers.noise import affine
from thinnet.passes import Run
from thinnet.schedules import Schedule

Numbers = tuple[int, tuple[float, float, float]]
NO_DROPPING: Numbers = (0, (1.0, 0.0, 0.0))


def numbers(noisy: Noisy, run: Run) -> Numbers:
    """The limit and the levels of `kernels.noise`."""
    layer, site = noisy
    if isinstance(layer, GaussianNoise):
        return 0, (layer.scale if run.draws else 0.0, 0.0, 0.0)
    rate = site.rate(layer.rate, run)
    if isinstance(layer, GaussianDropout):
        rate = checks.below_one("rate", rate)
        return 0, ((rate / (1 - rate)) ** 0.5 if run.draws else 0.0, 0.0, 0.0)
    q = masks.keep_probability(rate)
    classical = isinstance(layer, Dropout) and layer.scaling == "classical"
    if not run.draws:
        return 0, (q if classical else 1.0, 0.0, 0.0)
    limit = masks.threshold(rate)
    if isinstance(layer, AlphaDropout):
        if rate == 0:
            return NO_DROPPING
        a, b, low = affine(rate)
        return limit, (a, low, a * low + b)
    scale = 1.0 if classical else masks.LEVELS / (masks.LEVELS - limit) if q else 0.0
    return limit, (scale, 0.0, 0.0)


def is_constant(noisy: Sequence[Noisy]) -> bool:
    return not any(isinstance(getattr(layer, "rate", 0.0), Schedule) for layer, _ in noisy)


def limits_and_levels(
    noisy: Sequence[Noisy], runs: Sequence[Run], dtype: np.dtype
) -> tuple[Array, Array]:
    """A row for each run, a column for each rate."""
    rows = [[NO_DROPPING] * (not noisy) + [numbers(each, run) for each in noisy] for run in runs]
    limits = np.array([[limit for limit, _ in row] for row in rows], np.uint64)
    return limits, np.array([[levels for _, levels in row] for row in rows], dtype)
