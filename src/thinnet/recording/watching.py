"""What a recording does while trainings go on: keyframes are kept, and thinned."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from threading import RLock
from typing import Any, Final
from weakref import WeakKeyDictionary

from thinnet.arrays import Array
from thinnet.network import Network
from thinnet.recording.keyframes import arrays_of
from thinnet.recording.members import RecordedNetwork
from thinnet.recording.replay import Replay
from thinnet.recording.tapes import FOREVER, Source, Tape
from thinnet.training.state import TrainingState

NO_ROOM: Final = (
    "max_bytes must be at least {} for one keyframe of this network beside those of others, got "
    "{:.0f}: this training is not recorded"
)


class Watching:
    """The base of `Recording`, not for use by itself."""

    keyframes: int
    max_bytes: float
    spacing: int | None

    def __init__(self) -> None:
        self.estimator: Any = None
        self.places: Array | None = None
        self.members: list[RecordedNetwork] = []
        self.settled = 0  # members of the fits before
        self._forget_live()

    def _forget_live(self) -> None:
        self._live: WeakKeyDictionary[TrainingState, tuple[RecordedNetwork, Tape]]
        self._live, self._lock = WeakKeyDictionary(), RLock()
        self._latest: tuple[Tape, Replay] | None = None

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_live", "_lock", "_latest")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, values: dict[str, Any]) -> None:
        vars(self).update(values)
        self._forget_live()

    def __sklearn_clone__(self) -> Watching:
        return self  # clones of an estimator are recorded here too

    @property
    def nbytes(self) -> int:
        """The bytes of all keyframes."""
        return sum(member.nbytes for member in self.members)

    def before_steps(self, training: TrainingState) -> int:
        """Keep what is due; how many steps may be taken before the next call."""
        return self.follow(training, None, None)

    def after_steps(self, training: TrainingState, ended: bool) -> None:
        """Keep the end of a training."""
        with self._lock:
            if training not in self._live:
                return
            _, tape = self._live[training]
            tape.follow(training)
            if ended:
                tape.close(training)
                self._make_room()

    def follow(
        self, training: TrainingState, member: RecordedNetwork | None, source: Source | None
    ) -> int:
        """`before_steps` of a member of an ensemble."""
        with self._lock:
            if training not in self._live:
                self._begin(training, member, source)
            member, tape = self._live[training]
            tape.follow(training)
            if tape.is_full:
                return FOREVER
            if tape.is_due(member.spacing):
                tape.keep(training)
                self._make_room()
            return tape.until_due(member.spacing)

    def _begin(
        self, training: TrainingState, member: RecordedNetwork | None, source: Source | None
    ) -> None:
        member = self._member_of(training.network, member)
        size = sum(array.nbytes for array in arrays_of(training).values())
        others = sum(each.least_bytes for each in self.members if each is not member)
        if size + others <= self.max_bytes:
            tape = member.begin(training, source, self.spacing)
            self._make_room()
        else:
            tape = Tape.of(training, source)
            tape.is_full = True
            warnings.warn(NO_ROOM.format(size, self.max_bytes), UserWarning, stacklevel=3)
        self._live[training] = member, tape

    def _member_of(self, network: Network, blank: RecordedNetwork | None) -> RecordedNetwork:
        """The member that this network is, or continues; else the blank one, or a new one."""
        known = [m for m in self.members if m.is_of(network)]
        known += [m for m in reversed(self.members) if m.continues(network)]
        if known:
            return known[0]
        if blank is None or blank.tapes:
            blank = RecordedNetwork()
            self.members.append(blank)
        return blank

    def _make_room(self) -> bool:
        """Thin the largest members until all fits; False where it can't."""
        for member in self.members:
            while member.n_keyframes > self.keyframes:
                member.thin()
        while self.nbytes > self.max_bytes:
            largest = sorted(self.members, key=lambda m: -m.nbytes)
            if not any(member.thin() for member in largest):
                return False
        return True

    def of_members(self, n: int) -> list[MemberRecording]:
        """A callback for each of `n` networks that are trained, maybe at once."""
        with self._lock:
            members = [RecordedNetwork() for _ in range(n)]
            self.members += members
        return [MemberRecording(self, member) for member in members]

    def on_fit_end(self, estimator: object, networks: Sequence[Network]) -> None:
        """Put the networks of a fitted estimator first among those of its fit."""
        with self._lock:
            self.estimator = estimator
            before, new = self.members[: self.settled], self.members[self.settled :]
            own = [m for network in networks for m in new if m.is_of(network)]
            others = [m for m in new if m not in own and m.tapes]
            self.members = [*before, *own, *others]
            self.settled = len(self.members)


class MemberRecording:
    """The recording of one network of several that are trained at once."""

    def __init__(self, recording: Watching, member: RecordedNetwork) -> None:
        self._recording, self._member = recording, member
        self.source = Source()

    def before_steps(self, training: TrainingState) -> int:
        return self._recording.follow(training, self._member, self.source)

    def after_steps(self, training: TrainingState, ended: bool) -> None:
        self._recording.after_steps(training, ended)
