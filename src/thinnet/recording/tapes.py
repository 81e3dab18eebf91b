"""A tape: one training as it is recorded, its keyframes and the log between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import arithmetic
from thinnet.arrays import Array, Ids
from thinnet.network import Network, executor
from thinnet.network.changes import Change
from thinnet.network.logbook import Entry, Logbook
from thinnet.passes import Clock
from thinnet.philox import MAX_STEP
from thinnet.recording.keyframes import Keyframe, keyframe_of
from thinnet.training.checkpointing import REFERENCE
from thinnet.training.data import Data, checked_data
from thinnet.training.plan import Plan
from thinnet.training.state import OF_TRAINING, TrainingState

FOREVER: Final = 2**40
FULL: Final = "of the recording there is no memory left: the steps from number {} on are not in it"


class Scale(NamedTuple):
    """The factor of the learning rate from a step on, as plateaus decided."""

    step: int
    scale: float


class Source(NamedTuple):
    """Where the rows of a training stand in what an estimator was fitted to.

    Attributes
    ----------
    places : array or None
        The rows' places; None for all.
    bootstrap : int or None
        The seed of the bootstrap sample that weighs them.
    copied : callable or None
        Makes X, targets and weights again; not in files.
    """

    places: Array | None = None
    bootstrap: int | None = None
    copied: Callable[[], Sequence[Any]] | None = None


@dataclass(eq=False)
class Tape:
    """One training: how it began, its keyframes, and what was decided between them.

    Attributes
    ----------
    described : dict
        The network as `Network.__setstate__` takes it, without its vectors.
    plan : Plan
    entry : Entry
        From which the rows of each step are recomputed.
    t_before : int
        The optimiser's steps before the training.
    arithmetic, checksum : str
        The version of the arithmetic, and the checksum of the rows, targets, weights and ids.
    frames : list of Keyframe
        By their steps.
    changes : list of Change
    scales : list of Scale
    end : int
        The step that would come next.
    last : Keyframe or None
        The training as it ended; None while it may go on.
    data : Data or None
        What it is trained on; not in files.
    source : Source or None
        None for trainings outside of estimators.
    """

    described: dict[str, Any]
    plan: Plan
    entry: Entry
    t_before: int
    arithmetic: str
    checksum: str
    frames: list[Keyframe]
    changes: list[Change] = field(default_factory=list)
    scales: list[Scale] = field(default_factory=list)
    end: int = 0
    last: Keyframe | None = None
    data: Data | None = None
    source: Source | None = None
    is_full: bool = False
    _known: int = 0  # the changes that were made before

    @classmethod
    def of(cls, training: TrainingState, source: Source | None) -> Tape:
        """The tape of a training that begins, or goes on from a checkpoint."""
        network, plan = training.network, training.plan
        frame = keyframe_of(training)
        values = network.__getstate__()
        left_out = ("theta", "state", "clock", "logbook", "_latest")
        described = {name: value for name, value in values.items() if name not in left_out}
        described["logbook"] = Logbook(network.logbook.until(frame.step)).entries
        return cls(
            described=described,
            plan=replace(plan, epochs=FOREVER, early_stopping=None, clean_rows=0),
            entry=training.entry(),
            t_before=training.t_before,
            arithmetic=arithmetic_of(network),
            checksum=training.data.fingerprint(),
            frames=[frame],
            scales=[Scale(frame.step, training.plateau.scale)],
            end=frame.step,
            data=training.data,
            source=source,
            _known=len(training.history.changes),
        )

    @property
    def first(self) -> int:
        return self.frames[0].step

    @property
    def nbytes(self) -> int:
        frames = [*self.frames, *([] if self.last is None else [self.last])]
        return sum(frame.nbytes for frame in frames)

    def follow(self, training: TrainingState) -> None:
        """Take down how far the training is, and what was decided since the last call."""
        self.end, self.last = training.network.clock.step, None
        made = training.history.changes[self._known :]
        if len(made) > len(self.changes):
            self.changes = list(made)
        if training.plateau.scale != self.scales[-1].scale:
            self.scales.append(Scale(self.end, training.plateau.scale))

    def keep(self, training: TrainingState) -> None:
        """Add a keyframe; where there is no memory for it, the training goes on without more."""
        try:
            self.frames.append(keyframe_of(training))
        except MemoryError:
            self.is_full = True
            warnings.warn(FULL.format(self.end), UserWarning, stacklevel=2)

    def close(self, training: TrainingState) -> None:
        """Keep the training as it ended, best or averaged weights put back."""
        if self.source is not None and self.source.copied is not None:
            self.data = None  # it is made again when it is asked for
        try:
            self.last = keyframe_of(training)
        except MemoryError:
            warnings.warn(FULL.format(self.end), UserWarning, stacklevel=2)

    def found_data(self) -> Data | None:
        """The data, made again where no copy was kept; None where there is none."""
        if self.data is not None or self.source is None or self.source.copied is None:
            return self.data
        X, targets, weights = self.source.copied()[:3]
        network, ids = self.network_of_begin(), self.entry.ids
        return checked_data(network, self.plan.loss, X, targets, weights, ids)

    def __getstate__(self) -> dict[str, Any]:
        own = None if self.source is None else self.source._replace(copied=None)
        return vars(self) | {"source": own}

    def is_due(self, spacing: int) -> bool:
        at = self.end - self.first
        return at % spacing == 0 and self.frames[-1].step < self.end

    def until_due(self, spacing: int) -> int:
        return spacing - (self.end - self.first) % spacing

    def thin(self, spacing: int) -> None:
        """Keep the keyframes that are whole multiples of `spacing` from the first one."""
        first = self.first
        self.frames = [f for f in self.frames if (f.step - first) % spacing == 0]

    def cut(self, step: int) -> None:
        """Forget all from a step on."""
        self.frames = [f for f in self.frames if f.step < step]
        self.changes = [c for c in self.changes if c.step < step]
        self.scales = [s for s in self.scales if s.step < step]
        self.end, self.last = min(self.end, step), None

    def before(self, step: int) -> Keyframe:
        """The latest keyframe up to a step."""
        return max((f for f in self.frames if f.step <= step), key=lambda f: f.step)

    def scale_at(self, step: int) -> float:
        return [s.scale for s in self.scales if s.step <= step][-1]

    def changes_until(self, step: int) -> list[Change]:
        return [change for change in self.changes if change.step <= step]

    def decided_after(self, step: int) -> int:
        """The next step before which something was decided; `FOREVER` for none."""
        steps = (*(c.step for c in self.changes), *(s.step for s in self.scales))
        return min((at for at in steps if at > step), default=FOREVER)

    def network(self, clock: Clock, arrays: Any = None) -> Network:
        """The network with the settings that it had at a step, and the vectors of a keyframe."""
        arrays = self.frames[0].arrays if arrays is None else arrays
        network = Network.__new__(Network)
        own = {"theta": arrays["theta"], "state": arrays["state"], "_latest": 0}
        own |= {"logbook": Logbook(self.described["logbook"]), "clock": Clock()}
        own |= {"changes": list(self.described["changes"])}
        network.__setstate__(self.described | own)
        for step, layer, setting, _, value in self.changes_until(clock.step):
            if layer != OF_TRAINING:
                network.clock.step = step
                network.change(setting, value, layer)
        network.clock.step, network.clock.epoch = clock.step, clock.epoch
        return network

    def network_of_begin(self) -> Network:
        """The network as the tape begins."""
        first = self.frames[0]
        return self.network(first.clock, first.arrays)

    def plan_at(self, step: int) -> Plan:
        """The plan, with the learning rate that it had at a step."""
        found = [c for c in self.changes_until(step) if c.layer == OF_TRAINING]
        if not found:
            return self.plan
        optimizer: Any = replace(self.plan.optimizer, learning_rate=found[-1].value)  # type: ignore[type-var]
        return replace(self.plan, optimizer=optimizer)

    def rows(self, step: int) -> Ids:
        """The ids of the rows of a step (`Network.rows`)."""
        network = self.network(Clock(MAX_STEP, 0))
        log = Logbook([self.entry._replace(steps=max(self.end - self.entry.first, 1))])
        return log.rows(network, step)


def arithmetic_of(network: Network) -> str:
    """The version of the arithmetic by which a network is trained here."""
    compiled = executor.is_compiled(network)
    return f"version {arithmetic.VERSION}" if compiled else REFERENCE


def same_network(tape: Tape, network: Network) -> bool:
    """Whether a network could be the one of a tape, by its seed, type and layers."""
    known = tape.described
    layers = tuple(type(layer) for layer in known["layers"])
    return (
        known["_seed"] == network.seed
        and np.dtype(known["dtype"]) == network.dtype
        and known["features"] == network.features
        and layers == tuple(type(layer) for layer in network.layers)
        and len(tape.frames[0].arrays["theta"]) == network.theta.size
    )
