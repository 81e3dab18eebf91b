"""`Recording`: a callback that makes each step of a training able to be opened afterwards."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from thinnet import checks
from thinnet.arrays import MatrixLike, TableLike, TargetLike, VectorLike
from thinnet.network import Network
from thinnet.network.changes import Change
from thinnet.optimizers import Adam, Optimizer
from thinnet.recording import files, rows
from thinnet.recording.keyframes import Keyframe, bytes_of
from thinnet.recording.members import RecordedNetwork
from thinnet.recording.moment import Moment, data_of
from thinnet.recording.replay import Replay
from thinnet.recording.tapes import Tape
from thinnet.recording.watching import Watching

MAX_BYTES: Final = 1e9


class Room(NamedTuple):
    """What a recording of a network will take, in memory and, saved, on the disk.

    Attributes
    ----------
    keyframe : int
        The bytes of a keyframe.
    keyframes : int
        The most keyframes that are kept.
    most : int
        The most bytes of all together; the data itself is not copied.
    """

    keyframe: int
    keyframes: int
    most: int

    def __str__(self) -> str:
        return (
            f"at most {self.keyframes} keyframes of {self.keyframe / 1e6:.3g} MB, "
            f"{self.most / 1e6:.3g} MB in memory and in a file"
        )


class Recording(Watching):
    """A callback that makes a training able to be opened at any step afterwards.

    It keeps the weights, the running statistics and the optimiser's moments at some steps
    (keyframes); the steps between are taken again when they are asked for, with the same bits,
    since masks and orders are functions of the step.  The training has the same bits as without
    it.  When there are as many keyframes as may be, every other one goes.

    Parameters
    ----------
    keyframes : int
        The most keyframes of a network, at least 2.
    max_bytes : float
        The most bytes of all keyframes together, above 0.
    spacing : int, optional
        Steps from one keyframe to the next as long as there is room, at least 1; None chooses it
        so that recording takes a few hundredths of the training's time.

    Attributes
    ----------
    estimator : estimator or None
        The fitted estimator whose networks are recorded.
    places : array or None
        The places of the rows that it was fitted to, in the table that `thinnet fit` was given.
    nbytes : int
        The bytes of all keyframes.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Dropout, Network, Recording, ReLU, train
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> network = Network([Dense(16), ReLU(), Dropout(0.2), Dense(2)], features=4, seed=0)
    >>> recording = Recording()
    >>> _ = train(network, X, y, epochs=30, batch_size=20, callbacks=[recording])
    >>> moment = recording.at(step=123)
    >>> moment.rows[:3], round(moment.loss, 3)
    (array([ 86, 124, 159], dtype=uint32), 0.725)
    >>> bool((moment.after == recording.at(step=124).network.theta).all())
    True
    >>> bool((recording.at(step=300).network.theta == network.theta).all())
    True
    """

    def __init__(
        self, keyframes: int = 512, *, max_bytes: float = MAX_BYTES, spacing: int | None = None
    ) -> None:
        self.keyframes = checks.integer("keyframes", keyframes, 2)
        self.max_bytes = checks.positive("max_bytes", max_bytes)
        self.spacing = None if spacing is None else checks.integer("spacing", spacing, 1)
        super().__init__()

    def __repr__(self) -> str:
        n = len(self.members)
        steps = "; ".join(f"steps {m.steps.start} to {m.steps.stop - 1}" for m in self.members[:3])
        more = "; ..." if n > 3 else ""
        what = f"{n} network{'s' * (n != 1)}, {steps}{more}" if n else "nothing yet"
        return f"<Recording of {what}>"

    @property
    def n_members(self) -> int:
        """How many networks are recorded: of an estimator those of `networks_` first."""
        return len(self.members)

    def steps(self, member: int = 0) -> range:
        """The steps that `at` takes; the last one is the end.

        Raises
        ------
        ValueError
            If there is no such network.
        """
        return self._member(member).steps

    def keyframes_of(self, member: int = 0) -> list[int]:
        """The steps of the keyframes, which open without the data.

        Raises
        ------
        ValueError
            If there is no such network.
        """
        return [frame.step for tape in self._member(member).tapes for frame in tape.frames]

    def changes(self, member: int = 0) -> list[Change]:
        """The settings that were changed during the run, each with the first step of its value.

        Raises
        ------
        ValueError
            If there is no such network.
        """
        return [change for tape in self._member(member).tapes for change in tape.changes]

    def room(
        self, network: Network, optimizer: Optimizer | None = None, *, averaged: bool = False
    ) -> Room:
        """What a recording of a network will take at most, before it is trained.

        Parameters
        ----------
        network : Network
        optimizer : Optimizer, optional
            By default ``Adam(0.001)``, as for `train`.
        averaged : bool
            Whether training takes an average of the weights.

        Examples
        --------
        >>> from thinnet import Dense, Network, ReLU
        >>> network = Network([Dense(256), ReLU(), Dense(10)], features=64, seed=0)
        >>> print(Recording().room(network))
        at most 512 keyframes of 0.231 MB, 118 MB in memory and in a file
        """
        size = bytes_of(network, Adam() if optimizer is None else optimizer, averaged=averaged)
        n = int(min(self.keyframes, self.max_bytes // size))
        return Room(size, n, (n + 1) * size)

    def at(self, step: int, member: int = 0) -> Moment:
        """The training as it stood before a step.

        Parameters
        ----------
        step : int
            The number of the step in the network's life, which `Network.masks` takes; one past
            the last is the end.
        member : int
            The place of the network.

        Raises
        ------
        ValueError
            If the step was not recorded, or must be taken again where the data is not there, has
            changed, or the arithmetic is another.
        """
        of = self._member(member)
        number = checks.integer("step", step, 0)
        with self._lock:
            tape = of.tape_at(number)
            if tape is None:
                most = of.steps
                allowed = f"one that was recorded ({most.start} to {most.stop - 1}, the end)"
                checks.must(False, "step", allowed if most else "recorded: none is", number)
            assert tape is not None
            return Moment(tape, self._frame(tape, number), member)

    def _frame(self, tape: Tape, step: int) -> Keyframe:
        """A keyframe, or what a replay from the latest one comes to."""
        if tape.last is not None and step == tape.end:
            return tape.last
        frame = tape.before(step)
        if frame.step == step:
            return frame
        latest = self._latest
        goes_on = latest is not None and latest[0] is tape
        if latest is None or not goes_on or not frame.step <= latest[1].step <= step:
            data = data_of(tape, f"step {step}")
            self._latest = latest = tape, Replay(tape, data, frame)
        try:
            return latest[1].go_to(step)
        except BaseException:
            self._latest = None
            raise

    def _member(self, member: int) -> RecordedNetwork:
        if not self.members:
            raise ValueError("the recording must have a training, got none")
        return self.members[checks.integer("member", member, 0, len(self.members) - 1)]

    def on(
        self,
        X: MatrixLike | TableLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        samples: VectorLike = None,
    ) -> Recording:
        """Give a recording from a file the data of its training, which the file doesn't have.

        Parameters
        ----------
        X, y, sample_weight
            As they were given to `train`, or to `fit` of the estimator; or the whole table, or its
            path, and the name of its target, of which `thinnet fit` has learned from some rows.
        samples : sequence of int, optional
            As it was given to `train`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If this is not the data of any recorded training, by its checksum.
        """
        with self._lock:
            tapes = [tape for member in self.members for tape in member.tapes]
            given = rows.of_table(rows.Given(X, y, sample_weight, samples), self.places)
            rows.give(tapes, self.estimator, given)
            self._latest = None
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to a file: keyframes and settings, no rows and no code.

        Parameters
        ----------
        path : path
            `thinnet.load` reads it; an old file there is replaced when the new one is complete.

        Raises
        ------
        ValueError
            If it holds an object of a class that a file can't hold, or no file can be written
            there.
        OSError
            If writing fails; an old file is untouched.
        """
        with self._lock:
            files.save(self, path)
