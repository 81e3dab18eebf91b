"""The recorded trainings of one network, and the keyframes that they share."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from thinnet.network import Network
from thinnet.recording.keyframes import spacing_for
from thinnet.recording.tapes import Source, Tape, same_network
from thinnet.training.state import TrainingState


class RecordedNetwork:
    """The tapes of one network, in the order of their steps.

    Attributes
    ----------
    tapes : list of Tape
    spacing : int
        Steps from one keyframe of a tape to the next; 0 before there is any.
    """

    def __init__(self, tapes: list[Tape] | None = None, spacing: int = 0) -> None:
        self.tapes: list[Tape] = [] if tapes is None else tapes
        self.spacing = spacing
        self._network: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_network": None}  # the network itself is not part of it

    @property
    def n_keyframes(self) -> int:
        return sum(len(tape.frames) for tape in self.tapes)

    @property
    def least_bytes(self) -> int:
        """What is left of it where it is thinned as far as can be."""
        kept = self.tapes[-1:]
        return sum(tape.frames[0].nbytes * (1 + (tape.last is not None)) for tape in kept)

    @property
    def nbytes(self) -> int:
        return sum(tape.nbytes for tape in self.tapes)

    @property
    def steps(self) -> range:
        """From the first recorded step to the end, which counts; there may be holes."""
        return range(self.tapes[0].first, self.tapes[-1].end + 1) if self.tapes else range(0)

    def is_of(self, network: Network) -> bool:
        return self._network is not None and self._network() is network

    def continues(self, network: Network) -> bool:
        """Whether a network that another process or a copy trained could be this one."""
        if not self.tapes or not self.steps:
            return False
        step, tape = network.clock.step, self.tapes[-1]
        alive = None if self._network is None else self._network()
        if alive is not None:  # only where it ended: none of its steps is forgotten for another
            last = tape.last
            if last is None or step != tape.end:
                return False
            return bool(np.array_equal(last.arrays["theta"], network.theta))
        inside = self.steps.start < step <= self.steps.stop - 1
        return inside and same_network(tape, network)

    def begin(self, training: TrainingState, source: Source | None, spacing: int | None) -> Tape:
        """The tape of a training that begins; steps that are taken again are forgotten."""
        tape, network = Tape.of(training, source), training.network
        self._network = weakref.ref(network)
        self.cut(network.clock.step)
        self.tapes.append(tape)
        least = spacing or spacing_for(
            tape.frames[0].nbytes,
            network.theta.size,
            training.plan.batch_size,
            len(training.slices),
        )
        self.spacing = max(least, self.spacing)
        return tape

    def cut(self, step: int) -> None:
        self.tapes = [tape for tape in self.tapes if tape.first < step]
        for tape in self.tapes:
            tape.cut(step)

    def thin(self) -> bool:
        """Double the spacing, or forget the oldest tape; False where nothing can go."""
        if self.n_keyframes > len(self.tapes):
            before = self.n_keyframes
            while self.n_keyframes == before:
                self.spacing *= 2
                for tape in self.tapes:
                    tape.thin(self.spacing)
            return True
        if len(self.tapes) > 1:
            del self.tapes[0]
            return True
        return False

    def tape_at(self, step: int) -> Tape | None:
        """The tape with a step; at the end of one the next, where that goes on from there."""
        found = [tape for tape in self.tapes if tape.first <= step <= tape.end]
        return found[-1] if found else None
