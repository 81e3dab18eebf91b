"""Keyframes: all that changes in a training, as it stands before a step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.passes import Clock
from thinnet.training.state import Counts, TrainingState

SHARE: Final = 0.03  # of a training's time that its keyframes may take, by the estimates below
CALL_SECONDS: Final = 1.5e-4  # of parting a call of compiled code in two
BYTES_PER_SECOND: Final = 2e9  # of copying to fresh memory
STEP_SECONDS: Final = 1e-5  # of a step of a small network
FLOPS: Final = 1e11  # of products, a second
PER_PARAMETER: Final = 6  # operations for each row and parameter, forward and backward


class Keyframe(NamedTuple):
    """A training before a step.

    Attributes
    ----------
    step, life_epoch : int
        The number of the step, and of the epoch, in the network's life.
    counts : Counts
        The training's own counts, and the states of its rules.
    arrays : mapping
        By name: "theta", "state", "optimizer 0", ...; "average" where there is one.
    """

    step: int
    life_epoch: int
    counts: Counts
    arrays: Mapping[str, Array]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())

    @property
    def clock(self) -> Clock:
        return Clock(self.step, self.life_epoch)


def arrays_of(training: TrainingState) -> dict[str, Array]:
    """The arrays that the next steps depend on: not copies."""
    parts = {f"optimizer {i}": part for i, part in enumerate(training.optimizer_state)}
    network = training.network
    own = {"theta": network.theta, "state": network.state}
    return own | parts | training.average.arrays()


def keyframe_of(training: TrainingState) -> Keyframe:
    """The training as it stands: copies."""
    counts = Counts(
        training.epoch,
        training.t,
        training.batch,
        training.loss_sum,
        training.plateau,
        training.waiting,
    )
    clock = training.network.clock
    lent = arrays_of(training) | {"theta": training.network.parameters.values}  # only read
    arrays = {name: array.copy() for name, array in lent.items()}
    return Keyframe(clock.step, clock.epoch, counts, arrays)


def put_back(frame: Keyframe, training: TrainingState) -> None:
    """Bring a training of the same network to a keyframe."""
    for name, array in arrays_of(training).items():
        array[:] = frame.arrays[name]
    clock, counts = training.network.clock, frame.counts
    clock.step, clock.epoch = frame.step, frame.life_epoch
    training.epoch, training.t, training.batch, training.loss_sum = counts[:4]
    training.plateau, training.waiting = counts.plateau, counts.waiting
    training.keep_good()


def spacing_for(n_bytes: int, parameters: int, batch_size: int, per_epoch: int) -> int:
    """Steps from one keyframe to the next, so that copies take a few hundredths of the time.

    The estimates are of a fast processor, and depend on nothing but their arguments.  Where it
    makes no great difference keyframes stand at the beginnings of epochs, at which compiled code
    returns anyway.

    Parameters
    ----------
    n_bytes : int
        Of a keyframe.
    parameters, batch_size, per_epoch : int
        The network's parameters, the rows of a step, and the steps of an epoch.

    Examples
    --------
    >>> spacing_for(1_000_000, parameters=85_000, batch_size=128, per_epoch=12)
    36
    """
    step = STEP_SECONDS + PER_PARAMETER * batch_size * parameters / FLOPS
    copy = CALL_SECONDS + n_bytes / BYTES_PER_SECOND
    least = max(1, math.ceil(copy / (SHARE * step)))
    return least if 2 * least < per_epoch else per_epoch * math.ceil(least / per_epoch)


def bytes_of(network: Any, optimizer: Any, *, averaged: bool) -> int:
    """The bytes of a keyframe of a training."""
    parts = len(optimizer.start(np.zeros(0, network.dtype)))
    vectors = (1 + parts + averaged) * network.theta.nbytes
    return int(vectors + network.state.nbytes)
