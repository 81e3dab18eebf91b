"""The kinds of pass (`Run`), and a layer's place in a bound network (`Site`)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool

from thinnet import checks, masks, philox
from thinnet.arrays import Array, Features, Float, Ids, Rows, Samples, Share
from thinnet.philox import MAX_STEP, Purpose, Stream
from thinnet.schedules.base import Rate, Schedule


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A kind of pass: whether its masks are random, and whether it learns batch statistics.

    `Run.train` does both, `Run.predict` neither; `Run.sample` has random masks and does not learn,
    which is what Monte Carlo dropout means.  Every pass is given its kind: there is no default,
    no global switch and no attribute of a layer.

    Attributes
    ----------
    draws : bool
        Whether masks and noise are random.
    learns : bool
        Whether the pass uses the batch's statistics and adds them to the running ones.
    step : int
        The number of the optimiser step, or of the draw; 0 to 2^32 - 1.
    seed : int or None
        The seed that masks are functions of; None for the network's own.

    Raises
    ------
    ValueError
        If a step, a draw or an id is out of its range.

    Examples
    --------
    >>> from thinnet import Dropout, Network
    >>> network = Network([Dropout(0.5)], features=4, seed=0)
    >>> y, _ = network.forward(np.ones((2, 4)), Run.train(step=0, samples=[7, 8]))
    >>> bool((network.outputs(np.ones((2, 4))) == 1).all())
    True
    """

    draws: bool
    learns: bool
    purpose: Purpose
    step: int
    ids: Ids | None
    seed: int | None = None

    @classmethod
    def train(cls, step: int, samples: Samples | None = None, *, share: Share = None) -> Run:
        """The pass of optimiser step number `step` on the rows with ids `samples` (None: from 0).

        With ``share="batch"`` all rows have one mask.
        """
        number = checks.integer("step", step, 0, MAX_STEP)
        return cls(True, True, "train", number, _ids(samples, share))

    @classmethod
    def predict(cls) -> Run:
        """The pass of prediction: dropout is off, and running statistics are used, not changed."""
        return cls(False, False, "predict", 0, None)

    @classmethod
    def sample(
        cls,
        draw: int,
        samples: Samples | None = None,
        seed: int | None = None,
        *,
        share: Share = None,
    ) -> Run:
        """The pass of draw number `draw`; ``share="batch"`` takes one thinned network for all."""
        number = checks.integer("draw", draw, 0, MAX_STEP)
        return cls(True, False, "predict", number, _ids(samples, share), seed)

    def samples(self, rows: int) -> Ids:
        """The ids of `rows` rows; a single id if all rows share a mask."""
        return np.arange(rows, dtype=np.uint32) if self.ids is None else self.ids

    def check_rows(self, rows: int) -> None:
        """ValueError unless every row has an id, or all rows share one mask."""
        if self.ids is None or np.array_equal(self.ids, [philox.SHARED]):
            return
        if len(self.ids) != rows:
            raise ValueError(f"samples must name each of the {rows} rows, got {len(self.ids)} ids")


def _ids(samples: Samples | None, share: Share) -> Ids | None:
    return None if samples is None and share is None else masks.ids_of(samples, share)


@dataclass(slots=True)
class Clock:
    """The numbers of steps and epochs that a network has been trained for in its whole life."""

    step: int = 0
    epoch: int = 0


@dataclass(slots=True, eq=False)
class Site:
    """The place of one layer in one network: its views, its stream, its neighbours.

    Attributes
    ----------
    p, g, s : NamedTuple of views
        The parameters, their gradients, and the state that prediction reads.
    lend : callable
        Makes the views `p`; whoever holds one may write, so none is made before it is asked for.
    counters : NamedTuple of views
        The state that only learning passes read.
    features, out : tuple of int
        The shape of a row before and after the layer.
    """

    name: str
    features: Features
    out: Features
    lend: Callable[[], Any]
    g: Any
    s: Any
    counters: Any
    seed: int
    ordinal: int
    clock: Clock
    presence: Callable[[Run], Bool[Array, "..."] | None] = lambda run: None

    @property
    def p(self) -> Any:
        """The parameters, as views to which may be written."""
        return self.lend()

    def rate(self, rate: Rate, run: Run) -> float:
        """The rate of a pass: at the pass's step in training, after the last step otherwise."""
        if not isinstance(rate, Schedule):
            return rate
        return checks.unit_interval("rate", rate.at(run.step if run.learns else self.clock.step))

    def stream(self, run: Run) -> Stream:
        seed = self.seed if run.seed is None else run.seed
        return Stream(seed, run.purpose, self.ordinal, run.step)

    def keep(
        self, run: Run, rows: int, rate: float, share: Share = None, axes: tuple[int, ...] = ()
    ) -> Bool[Array, "..."]:
        """The mask of the layer's input; its length is 1 along the axes that share it."""
        ids, features = self._address(run, rows, share, axes)
        units = math.prod(features)
        return masks.mask(self.stream(run), ids, units, rate).reshape(len(ids), *features)

    def draws(self, run: Run, rows: int, share: Share = None, axes: tuple[int, ...] = ()) -> Array:
        """The 16 bits that each place of `keep`'s mask is decided by."""
        ids, features = self._address(run, rows, share, axes)
        found = philox.sixteen_bits(self.stream(run), ids, math.prod(features))
        return found.reshape(len(ids), *features)

    def normals(
        self, run: Run, rows: int, share: Share = None, axes: tuple[int, ...] = ()
    ) -> Float[Array, "..."]:
        """Standard normal numbers in the shape of the mask that `keep` returns."""
        ids, features = self._address(run, rows, share, axes)
        numbers = philox.normals(self.stream(run), ids, math.prod(features))
        return numbers.reshape(len(ids), *features)

    def _address(
        self, run: Run, rows: int, share: Share, axes: tuple[int, ...]
    ) -> tuple[Ids, Features]:
        ids = run.samples(rows) if share is None else masks.ids_of(None, share)
        together = {axis % len(self.features) for axis in axes}
        return ids, tuple(1 if i in together else n for i, n in enumerate(self.features))


Watch: TypeAlias = Callable[[Site, Rows], object]


def unwatched(site: Site, values: Rows) -> None:
    """Do nothing: the observer of a pass that nobody observes."""


_numbers = itertools.count(1)  # numbers of passes, over all networks


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """All of a forward pass that `Network.backward` needs."""

    number: int
    shape: tuple[int, ...]
    caches: tuple[Any, ...]

    @staticmethod
    def next_number() -> int:
        return next(_numbers)
