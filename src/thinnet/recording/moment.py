"""A moment of a recording: a training as it stood before one of its steps."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Flat, Ids
from thinnet.network import Network
from thinnet.passes import Run
from thinnet.recording.keyframes import Keyframe
from thinnet.recording.replay import Replay, Taken
from thinnet.recording.tapes import Tape
from thinnet.tracing.passing import Batch
from thinnet.tracing.stepping import Step, opened
from thinnet.tracing.updates.stages import How
from thinnet.training.data import Data
from thinnet.training.reference import gradient_of, take_step, weight_of

if TYPE_CHECKING:
    from thinnet.tracing.stepping import Names
    from thinnet.tracing.traces import Trace


class Moment:
    """A training as it stood before a step; `Recording.at` makes it.

    Attributes
    ----------
    step : int
        The number of the step in the network's life, as `Network.masks` takes it.
    member : int
        The place of the network in the recording.
    is_end : bool
        Whether no step follows: the network is as the training left it.
    """

    def __init__(self, tape: Tape, frame: Keyframe, member: int) -> None:
        self._tape, self._frame = tape, frame
        self.step, self.member = frame.step, member
        self.is_end = frame.step >= tape.end

    def __repr__(self) -> str:
        what = "the end" if self.is_end else f"before step {self.step}"
        return f"<Moment of network {self.member}: {what}>"

    @cached_property
    def network(self) -> Network:
        """The network with the weights, statistics and settings of this step: a copy."""
        network = self._tape.network(self._frame.clock, self._frame.arrays)
        entry = self._tape.entry
        if self.step > entry.first:
            network.logbook.begin(entry._replace(steps=0))
            network.logbook.end(self.step, network)
        return network

    @cached_property
    def rows(self) -> Ids:
        """The ids of the step's rows, in their order there (`Network.rows`).

        Raises
        ------
        ValueError
            If this is the end, which no step follows.
        """
        self._check_taken("rows")
        return self._tape.rows(self.step)

    @cached_property
    def masks(self) -> dict[int, Array]:
        """The masks of the step on its rows, as `Network.masks` returns them.

        Raises
        ------
        ValueError
            If this is the end.
        """
        run = Run.train(self.step, self.rows)
        return {
            site.ordinal: layer.keep(site, run, len(self.rows)).copy()
            for layer, site in self.network.places()
            if hasattr(layer, "keep")
        }

    @property
    def loss(self) -> float:
        """The mean loss of the step's rows, dropout on, as training computed it.

        Raises
        ------
        ValueError
            If this is the end, or the data is not there (`Recording.on`).
        """
        return self._taken.loss

    @property
    def after(self) -> Flat:
        """The parameters that followed, to the last bit; max-norm included.

        Raises
        ------
        ValueError
            As for `loss`.
        """
        return self._taken.theta.copy()

    @property
    def difference(self) -> Flat:
        """What followed less what the textbook's formulas make of the same state and rows.

        It is 0 where the reference executor trained.  Compiled code adds in another order and
        fuses products with sums: it differs by rounding.

        Returns
        -------
        array, shape (size,)
            In the order of `Network.theta`.

        Raises
        ------
        ValueError
            As for `loss`.
        """
        return self._taken.theta - self.by_the_textbook()

    def by_the_textbook(self) -> Flat:
        """The parameters that the reference executor computes in this step.

        Raises
        ------
        ValueError
            As for `loss`.
        """
        replay = self._replay("what the textbook's formulas give")
        training, rows = replay.training, replay.places
        network, plan, data = training.network, training.plan, training.data
        state, rate = training.optimizer_state, training.learning_rate
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            gradient_of(network, plan, data, rows)
            take_step(network, plan, state, training.t, rate, weight_of(data, rows))
        return network.theta.copy()

    def how(self) -> How:
        """The optimiser, with its state, and the settings by which the step moves parameters.

        Raises
        ------
        ValueError
            As for `loss`.
        """
        replay = self._replay("how it moves parameters")
        training = replay.training
        plan, state = training.plan, training.optimizer_state
        return How(
            optimizer=plan.optimizer,
            rate=training.learning_rate,
            state=type(state)(*(part.copy() for part in state)),
            t=training.t,
            penalised=plan.penalised(weight_of(training.data, replay.places)),
            clip_norm=plan.clip_norm,
        )

    def trace(self, sample: int | None = None, names: Names = None) -> Trace:
        """The step with every number, its formula and its origin (`thinnet.trace`).

        Its last section has the weights that really followed, and the greatest gap to those of the
        formulas: compiled code rounds in another way.  A step that training divided into
        micro-batches is shown as one; behind BatchNorm the gap then is more than rounding.

        Parameters
        ----------
        sample : int, optional
            The id of the row whose numbers are printed, one of `rows`; None prints all.
        names : None or "paper"

        Raises
        ------
        ValueError
            As for `loss`; if the row is not one of the step.
        """
        rows = self.rows
        if sample is not None:
            fits = checks.is_integer(sample) and bool((rows == int(sample)).any())
            checks.must(fits, "sample", f"one of the {len(rows)} rows of step {self.step}", sample)
        show = None if sample is None else [int(sample)]
        return opened(self.network, self._step(), rows, show, names)

    def _step(self) -> Step:
        """All that the step takes, and what followed."""
        replay = self._replay("its trace")
        places, data, plan = replay.places, replay.training.data, replay.training.plan
        X = replay.training.network.entering(data.X[places])
        batch = Batch(X, data.targets[places], data.weights_of(places), plan.loss_factor)
        run = Run.train(self.step, self.rows)
        return Step(batch, run, plan.loss, self.how(), self.after)

    @cached_property
    def _taken(self) -> Taken:
        return self._replay("its loss").take()

    def _replay(self, what: str) -> Replay:
        """A replay that stands here; ValueError where there can't be one."""
        self._check_taken(what)
        return Replay(self._tape, data_of(self._tape, what), self._frame)

    def _check_taken(self, what: str) -> None:
        if self.is_end:
            raise ValueError(
                f"step must be one that was taken to have {what}, got {self.step}, the end of the "
                "training"
            )


def data_of(tape: Tape, what: str) -> Data:
    """The data; ValueError where there is none."""
    if (data := tape.found_data()) is None:
        near = ", ".join(str(frame.step) for frame in tape.frames[:3])
        more = ", ..." if len(tape.frames) > 3 else ""
        raise ValueError(
            f"the recording must have its data for {what}: give it by .on(X, y); without it only "
            f"keyframes open (steps {near}{more})"
        )
    return data
