"""Replay: steps of a recorded training, taken again by the executor that took them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat
from thinnet.engine.rounding_mode import standard_mode
from thinnet.network.row_order import Shuffles, generator
from thinnet.recording.keyframes import Keyframe, keyframe_of, put_back
from thinnet.recording.tapes import Tape, arithmetic_of
from thinnet.training.checkpointing import Keeper
from thinnet.training.data import Data
from thinnet.training.loop import INTERRUPTED, Loop, steps_for
from thinnet.training.reference import weight_of
from thinnet.training.state import OF_TRAINING, Begin, TrainingState


class Following:
    """Lets a replay make the changes of the log, each before its step."""

    def __init__(self, tape: Tape, step: int) -> None:
        self._tape, self._done = tape, len(tape.changes_until(step))

    def before_steps(self, training: TrainingState) -> int:
        step = training.network.clock.step
        for change in self._tape.changes_until(step)[self._done :]:
            self._done += 1
            if change.layer == OF_TRAINING:
                training.take_learning_rate(change.value, change.before)
            else:
                training.change(change.setting, change.value, layer=change.layer)
        training.scale_learning_rate(self._tape.scale_at(step))
        return self._tape.decided_after(step) - step

    def after_steps(self, training: TrainingState, ended: bool) -> None:
        """Nothing is to be done."""


class Taken(NamedTuple):
    """One step: the mean loss of its rows, and the parameters that followed."""

    loss: float
    theta: Flat


class Replay:
    """A recorded training, from a keyframe on.

    Parameters
    ----------
    tape : Tape
    data : Data
        What the training was on.
    frame : Keyframe
        Of the tape, or one that an earlier replay came to.

    Raises
    ------
    ValueError
        If the data has changed since, the arithmetic is another, or the order of the rows can't be
        made again.
    """

    def __init__(self, tape: Tape, data: Data, frame: Keyframe) -> None:
        check_data(tape, data)
        check_repeatable(tape)
        self._tape = tape
        network, entry = tape.network(frame.clock, frame.arrays), tape.entry
        shuffles = None
        if entry.order == "drawn":
            assert entry.state is not None  # it can be repeated
            shuffles = Shuffles(entry.rows, generator(entry.state))
        plan = tape.plan_at(frame.step)
        begin = Begin(plan.optimizer.start(network.theta), tape.t_before)
        self.training = TrainingState(network, data, None, plan, shuffles, begin)
        put_back(frame, self.training)
        self.training.scale_learning_rate(tape.scale_at(frame.step))
        following = Following(tape, frame.step)
        self._loop = Loop(self.training, [following], Keeper(self.training, None))

    @property
    def step(self) -> int:
        """The step that comes next."""
        return self.training.network.clock.step

    def go_to(self, step: int) -> Keyframe:
        """Take all steps before `step`; the training as it stands then.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C.
        ValueError
            If the data has changed since.
        """
        check_data(self._tape, self.training.data)
        if step > self.step and self._loop.advance(step - self.step) == INTERRUPTED:
            raise KeyboardInterrupt
        return keyframe_of(self.training)

    @property
    def places(self) -> Array:
        """The places in the data of the rows of the next step."""
        training = self.training
        return training.order()[training.slices[training.batch]]

    def take(self) -> Taken:
        """Take the next step alone; the replay is of no use afterwards."""
        training, rows = self.training, self.places
        training.loss_sum = 0.0
        with standard_mode(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            steps_for(training, watched=False).take(training.order(), 1)
        loss = training.loss_sum / weight_of(training.data, rows)
        return Taken(loss, training.network.theta.copy())


def check_data(tape: Tape, data: Data) -> None:
    """ValueError where the data is not what a tape was recorded on."""
    if (found := data.fingerprint()) != tape.checksum:
        raise ValueError(
            f"the data must be that of the training, with the checksum {tape.checksum}, got "
            f"{found}: it has changed since"
        )


def check_repeatable(tape: Tape) -> None:
    """ValueError where the steps of a tape can't be taken again with the same bits."""
    network = tape.network(tape.frames[0].clock)
    if (here := arithmetic_of(network)) != tape.arithmetic:
        raise ValueError(
            f"the arithmetic must be that of the training, {tape.arithmetic}, for replay, got "
            f"{here}: only keyframes can be opened here"
        )
    known = tape.entry.order != "drawn" or tape.entry.state is not None
    checks.must(
        known, "the order of rows", "drawn by a Mersenne Twister to be repeated", "another's"
    )
