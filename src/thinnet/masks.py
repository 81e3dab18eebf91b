"""Masks: which units are dropped is a pure function (docs/masks.md).

``keep(seed, purpose, layer, step, sample, unit, rate)`` needs no state and no storage, so a mask
can be recomputed anywhere: in the backward pass, on another machine, or a year after training.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from jaxtyping import Bool

from thinnet import checks
from thinnet.arrays import Array, Ids, Samples, Share
from thinnet.checks import SettingError
from thinnet.philox import (
    MAX_LAYER,
    MAX_SAMPLE,
    MAX_SEED,
    MAX_STEP,
    MAX_UNIT,
    PURPOSES,
    SHARED,
    Purpose,
    Stream,
    sixteen_bits,
)

LEVELS: Final = 65_536
SHARES_BEFORE: Final = {"draw": "batch", "element": None}


def threshold(rate: float) -> int:
    """The 16-bit threshold of a rate: a unit is kept where its random number reaches it."""
    rate = checks.unit_interval("rate", rate)
    if rate in (0.0, 1.0):
        return int(rate) * LEVELS
    return min(max(round(rate * LEVELS), 1), LEVELS - 1)


def keep_probability(rate: float) -> float:
    """The exact probability that a unit is kept: ``(65536 - threshold) / 65536``."""
    return (LEVELS - threshold(rate)) / LEVELS


def check_share(name: str, share: Any) -> Share:
    """`share`, if it is None (each row has its own mask) or "batch" (one for all rows)."""
    shared: Share = checks.one_of(name, share, (None, "batch"), SHARES_BEFORE)
    return shared


def ids_of(samples: Any, share: Any) -> Ids:
    """The rows' ids, checked; with ``share="batch"`` the one id that stands for all rows."""
    if check_share("share", share) is None:
        return sample_ids(samples)
    _check_no_ids(samples, share)
    return np.array([SHARED], np.uint32)


def _check_no_ids(samples: Any, share: Share) -> None:
    fits = samples is None or share is None
    checks.must(fits, "samples", "None with share='batch'", samples)


def sample_ids(samples: Any) -> Ids:
    """`samples` as an array of checked ids."""
    if samples is None or isinstance(samples, str):
        now = " (samples='shared' is now share='batch')" if samples == "shared" else ""
        raise SettingError("samples", f"a sequence of integers{now}", checks.quoted(samples))
    ids = np.asarray(samples)
    if (
        ids.ndim == 1
        and ids.dtype.kind in "fO"
        and all(checks.is_integer(value) for value in samples)
    ):
        ids = np.array(samples, object)  # longer than 64 bits, or of mixed signs
    elif ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(
            f"samples must be a sequence of integers, got {ids.dtype} of shape {ids.shape}"
        )
    outside = (ids < 0) | (ids > MAX_SAMPLE) if ids.size else np.zeros(0, bool)
    if outside.any():
        raise ValueError(
            f"samples must be integers from 0 to {MAX_SAMPLE} (renumber the rows where their "
            f"keys are longer), got {ids[outside][0]}"
        )
    return ids.astype(np.uint32)


def row_ids(samples: Any, rows: int, of: str, share: Share = None) -> Ids:
    """An id for each of the `rows` rows of what is called `of`: those given, or their numbers.

    With ``share="batch"`` masks don't depend on them, and none may be given.
    """
    if samples is None:
        return np.arange(rows, dtype=np.uint32)
    _check_no_ids(samples, share)
    return checks.same_length("samples", sample_ids(samples), of, rows)


def checked_stream(seed: int, purpose: Purpose, layer: int, step: int) -> Stream:
    return Stream(
        seed=checks.integer("seed", seed, 0, MAX_SEED),
        purpose=checks.one_of("purpose", purpose, tuple(PURPOSES)),
        layer=checks.integer("layer", layer, 0, MAX_LAYER),
        step=checks.integer("step", step, 0, MAX_STEP),
    )


def mask(stream: Stream, samples: Ids, units: int, rate: float) -> Bool[Array, "rows units"]:
    """`keep_mask` of arguments that have been checked."""
    limit = threshold(rate)
    if limit in (0, LEVELS):
        return np.full((len(samples), units), limit == 0)
    return sixteen_bits(stream, samples, units) >= limit


def keep_mask(
    *,
    seed: int,
    layer: int,
    step: int,
    samples: Samples | None = None,
    share: Share = None,
    units: int,
    rate: float,
    purpose: Purpose = "train",
) -> Bool[Array, "rows units"]:
    """The units that dropout keeps, as booleans.

    Parameters
    ----------
    seed : int
        The network's seed, 0 to 2^64 - 1.
    layer : int
        The layer's number among those with random numbers, from the input, 0 to 2^24 - 1.
    step : int
        The number of the optimiser step (of the draw, at prediction), 0 to 2^32 - 1.
    samples : sequence of int
        The ids of the rows, each 0 to 2^32 - 2; left out with ``share="batch"``.
    share : None or "batch"
        None: each row has its own mask; "batch": one mask for all rows.
    units : int
        The number of units of the layer, 0 to 2^32 - 1.
    rate : float
        The probability of dropping a unit, in [0, 1].
    purpose : str
        The mask's purpose: "train", "predict", or another name of docs/masks.md.

    Returns
    -------
    bool array, shape (len(samples), units)
        True where the unit is kept; with ``share="batch"`` one row.

    Raises
    ------
    ValueError
        If a coordinate is out of its range.

    References
    ----------
    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox4x32-10.

    Examples
    --------
    >>> keep_mask(seed=0, layer=0, step=0, samples=[0, 1], units=8, rate=0.5).astype(int)
    array([[1, 0, 1, 1, 1, 1, 1, 1],
           [1, 0, 0, 1, 0, 0, 0, 0]])
    """
    stream = checked_stream(seed, purpose, layer, step)
    units = checks.integer("units", units, 0, MAX_UNIT + 1)
    return mask(stream, ids_of(samples, share), units, rate)


def divisor(rate: float, like: Array) -> np.floating:
    """q, the divisor of kept units, in the type of `like`; 1 at rate 1, which keeps none."""
    return like.dtype.type(keep_probability(rate) or 1.0)


def scaled(x: Array, keep: Bool[Array, "..."], rate: float) -> Array:
    """``x / q`` where kept and 0 elsewhere: inverted dropout, and its own backward."""
    return np.where(keep, x / divisor(rate, x), 0)
