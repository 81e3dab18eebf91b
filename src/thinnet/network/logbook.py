"""The trainings of a network, an entry each, from which the rows of a step are recomputed.

A step's rows are a function of a few numbers, like its masks: nothing is stored for each step.
Trainings that continue each other with the same settings share one entry, so that a million calls
of `partial_fit` need one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Array, Ids
from thinnet.network.bound import Bound
from thinnet.network.row_order import Shuffles, batches, generator, keyed_order
from thinnet.philox import MAX_SAMPLE, MAX_STEP, SHARED

Order: TypeAlias = Literal["kept", "keyed", "drawn"]
ORDERS: Final = get_args(Order)
MOST_ENTRIES: Final = 4096  # beyond, the oldest entries are dropped
MOST_STATES: Final = 256  # generators' states in all entries together
MOST_IDS: Final = 2**20  # rows' ids in all entries together
WORDS: Final = 625  # numbers in the state of a Mersenne Twister: 624, and the place of the next


class Entry(NamedTuple):
    """A training, or several that continue each other.

    Attributes
    ----------
    first, steps : int
        The number of its first step, and the count of its steps.
    rows, batch_size, accumulate : int
        The number of rows of the data, of a batch, and of micro-batches in it.
    order : "kept", "keyed" or "drawn"
        The order of the rows in an epoch: that of the data, a function of (seed, epoch), or
        permutations from a generator, as in scikit-learn.
    epoch : int
        The number of its first epoch in the network's life.
    ids : array or None
        The rows' ids: None for their places; empty where they were too many to be kept.
    state : array or None
        With "drawn": the generator's state at the beginning of training.
    per_call : int
        With "drawn": the number of epochs after which the order starts from that of the data
        again; 0 for never.
    resets : bool
        Whether the generator starts from `state` again then, too.
    """

    first: int
    steps: int
    rows: int
    batch_size: int
    accumulate: int
    order: Order
    epoch: int = 0
    ids: Array | None = None
    state: Array | None = None
    per_call: int = 0
    resets: bool = False

    @property
    def end(self) -> int:
        return self.first + self.steps

    def is_alike(self, other: Entry) -> bool:
        """Whether `other` has the same data and settings, as far as rows depend on them."""
        same = self[2:6] == other[2:6]
        return same and _same(self.ids, other.ids) and (self.ids is None or self.ids.size > 0)


class Logbook:
    """The entries of a network, in the order of their steps.

    Parameters
    ----------
    entries : sequence of Entry

    Raises
    ------
    ValueError
        If an entry is impossible, or begins before another has ended.
    """

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.entries = [_checked(entry) for entry in entries]
        self._open: Entry | None = None
        self._after: Array | None = None  # the generator's state when the last entry ended
        self._latest: _Replay | None = None
        for before, entry in zip(self.entries, self.entries[1:], strict=False):
            checks.must(entry.first >= before.end, "first", f">= {before.end}", entry.first)

    def copy(self) -> Logbook:
        """A copy of the logbook, without a training that has not ended."""
        return Logbook(self.entries)

    def until(self, step: int) -> list[Entry]:
        """All entries up to `step`, that of a training that has not ended among them."""
        going_on = (
            [] if self._open is None else [self._open._replace(steps=step - self._open.first)]
        )
        return [*self.entries, *(entry for entry in going_on if entry.steps > 0)]

    def begin(self, entry: Entry) -> None:
        """Record a training that begins or is resumed, until `end` is called."""
        if self._open is not None and self._open.first < entry.first:
            self.entries = self.until(entry.first)
        self._open = None
        if self.entries and self.entries[-1].end > entry.first:
            self.cut(entry.first)
        known = entry.order != "drawn" or entry.state is not None
        self._open, self._latest = entry if known else None, None

    def end(self, step: int, network: Bound, after: Array | None = None) -> None:
        """Record that the training ended before step `step`, its generator in the state `after`."""
        known = len(self.entries)
        self.entries, self._open, self._latest = self.until(step), None, None
        if 0 < known < len(self.entries) and (one := self._joined(network, *self.entries[-2:])):
            self.entries[-2:] = [one]
        self._after = after
        self._forget()

    def cut(self, step: int) -> None:
        """Drop all steps from number `step` on."""
        before = [entry for entry in self.entries if entry.first < step]
        self.entries = [e._replace(steps=min(e.steps, step - e.first)) for e in before]
        self._after = self._latest = None

    def _joined(self, network: Bound, before: Entry, entry: Entry) -> Entry | None:
        """Both entries joined, if `entry` continues the one before; else None."""
        n = len(batches(network, *before[2:5]))
        if not before.is_alike(entry) or before.end != entry.first or before.steps % n:
            return None
        both, epochs = before._replace(steps=before.steps + entry.steps), before.steps // n
        if entry.order == "drawn":
            return self._continued_shuffles(both, entry, n)
        goes_on = entry.order == "kept" or before.epoch + epochs == entry.epoch
        return both if goes_on else None

    def _continued_shuffles(self, both: Entry, entry: Entry, n: int) -> Entry | None:
        of_each = both.per_call or (both.steps - entry.steps) // n
        if entry.steps != of_each * n:
            return None
        alone = both.per_call == 0
        if _same(both.state, entry.state) and (alone or both.resets):
            return both._replace(per_call=of_each, resets=True)
        if _same(self._after, entry.state) and (alone or not both.resets):
            return both._replace(per_call=of_each, resets=False)
        return None

    def _forget(self) -> None:
        """Drop the oldest entries, states and ids where there are too many."""
        self.entries = self.entries[-MOST_ENTRIES:]
        states = [i for i, entry in enumerate(self.entries) if entry.state is not None]
        if len(states) > MOST_STATES:
            del self.entries[states[0]]
        kept = 0
        for i in range(len(self.entries) - 1, -1, -1):
            ids = self.entries[i].ids
            if ids is not None and (kept := kept + ids.size) > MOST_IDS:
                self.entries[i] = self.entries[i]._replace(ids=np.zeros(0, np.uint32))

    def rows(self, network: Bound, step: int, samples: Any = None) -> Ids:
        """The ids of the rows of a step, in their order there (`Network.rows`)."""
        step = checks.integer("step", step, 0, MAX_STEP)
        taken = network.clock.step
        if step >= taken:
            ever = f"0 to {taken - 1}" if taken else "none yet"
            raise ValueError(f"step must be one that was taken ({ever}), got {step}")
        entry = next((e for e in self.until(taken) if e.first <= step < e.end), None)
        if entry is None:
            raise ValueError(
                f"step must be one whose rows are known, got {step}: its training was not recorded "
                "(an older thinnet's, a loop of one's own) or is forgotten (too many others since)"
            )
        slices = batches(network, *entry[2:5])
        epoch, batch = divmod(step - entry.first, len(slices))
        places = self._order(network, entry, epoch)[slices[batch]]
        ids = _ids_of(entry, samples)
        return places.astype(np.uint32) if ids is None else ids[places]

    def unused(self, network: Bound, step: int, ids: Ids) -> str:
        """The reason why a step has not used the masks of these rows; "" if it may have."""
        taken = network.clock.step
        if step >= taken > 0:
            return f"step {step} is not among the {taken} that were taken: its masks were not used"
        try:
            trained = self.rows(network, step)
        except ValueError:
            return ""
        absent = np.setdiff1d(ids, np.append(trained, np.uint32(SHARED)))
        if not absent.size:
            return ""
        some = ", ".join(map(str, absent[:3].tolist())) + (", ..." if absent.size > 3 else "")
        return (
            f"step {step} was not taken on all of these rows (not on {some}): their masks were not "
            f"used; rows({step}) gives those it was taken on"
        )

    def _order(self, network: Bound, entry: Entry, epoch: int) -> Array:
        if entry.order == "kept":
            return np.arange(entry.rows)
        key = (entry.first, entry.per_call, entry.resets)
        epoch = epoch % entry.per_call if entry.resets else epoch
        if self._latest is None or self._latest.of != key or self._latest.epoch > epoch:
            self._latest = None
        if self._latest is None or self._latest.epoch < epoch:
            self._latest = self._ordered(network, entry, epoch, key)
        return self._latest.order

    def _ordered(self, network: Bound, entry: Entry, epoch: int, key: Any) -> _Replay:
        """The order of an epoch; a generator is replayed from its latest known state."""
        if entry.order == "keyed":
            order = keyed_order(network, entry.epoch + epoch, entry.rows)
            return _Replay(key, epoch, order)
        assert entry.state is not None  # the order is "drawn" (`_checked`)
        if self._latest is None:
            call, shuffles = 0, Shuffles(entry.rows, generator(entry.state))
        else:
            call, shuffles = self._latest.call, self._latest.shuffles
        wanted, inside = divmod(epoch, entry.per_call) if entry.per_call else (0, epoch)
        for _ in range(call, wanted):
            shuffles(entry.per_call - 1)
            shuffles = Shuffles(entry.rows, shuffles.stream)
        return _Replay(key, epoch, shuffles(inside), max(call, wanted), shuffles)


class _Replay(NamedTuple):
    """The latest order that was recomputed, and the generator's state after it."""

    of: Any
    epoch: int
    order: Array
    call: int = 0
    shuffles: Any = None


def _same(a: Array | None, b: Array | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _ids_of(entry: Entry, samples: Any) -> Ids | None:
    if samples is not None:
        return masks.row_ids(samples, entry.rows, "the data of that training")
    if entry.ids is not None and not entry.ids.size:
        raise ValueError(
            f"samples must be the ids that were given to train: they were too many ({entry.rows}) "
            "to be kept, got None"
        )
    return entry.ids


def _checked(entry: Entry) -> Entry:
    """`entry` itself; ValueError if no training can have written it."""
    checks.must(isinstance(entry, Entry), "an entry", "a thinnet.network.logbook.Entry", entry)
    checks.boolean("resets", entry.resets)
    least = {"first": 0, "steps": 1, "rows": 1, "batch_size": 1, "accumulate": 1, "epoch": 0}
    for name, low in (*least.items(), ("per_call", int(entry.resets))):
        checks.integer(name, getattr(entry, name), low, MAX_SAMPLE)
    checks.integer("the last step", entry.end - 1, 0, MAX_STEP)
    checks.one_of("order", entry.order, ORDERS)
    if entry.ids is not None:
        sizes = [(entry.rows,), (0,)]
        checks.must(_words(entry.ids) in sizes, "ids", "an id a row", np.shape(entry.ids))
    replays = entry.order == "drawn"
    checks.must((entry.state is not None) == replays, "state", "there with 'drawn' only", replays)
    if entry.state is not None:
        fits = _words(entry.state) == (WORDS,) and entry.state[-1] < WORDS
        checks.must(fits, "state", f"{WORDS} words of a generator", np.shape(entry.state))
    return entry


def _words(values: Any) -> Any:
    """The shape of an array of 32-bit words; None for anything else."""
    fits = isinstance(values, np.ndarray) and values.dtype == np.uint32
    return values.shape if fits else None
