"""Draws of one network or of several, reduced block by block, until a row has enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Ids, Samples, Share
from thinnet.console import progress as bars
from thinnet.console.progress import PATIENCE
from thinnet.engine.rounding_mode import standard_mode
from thinnet.engine.threads import limited
from thinnet.masks import check_share, row_ids
from thinnet.network import Network, summary
from thinnet.network.sampling import room
from thinnet.philox import MAX_SEED, MAX_STEP, derived_seed
from thinnet.uncertainty.draws import reducing

BLOCK_BYTES: Final = 2**25  # the size of the draws in memory at once
FIRST_LOOK: Final = 16  # draws after which the tolerance is first checked


class How(NamedTuple):
    """The settings of draws, which all methods have in common."""

    n_draws: int = 100
    seed: int | None = None
    share: Share = "batch"
    samples: Samples | None = None
    tolerance: float | None = None
    progress: bool | None = None

    def checked(self, least: int = 1) -> How:
        checks.integer("n_draws", self.n_draws, least)
        check_share("share", self.share)
        if self.seed is not None:
            checks.integer("seed", self.seed, 0, MAX_SEED)
        if self.tolerance is not None:
            checks.positive("tolerance", self.tolerance)
        return self

    def looks(self) -> Iterator[tuple[int, int]]:
        """The numbers of the first and last draw of each round: all, or twice as many each time."""
        start, stop = 0, self.n_draws if self.tolerance is None else FIRST_LOOK
        while start < self.n_draws:
            stop = min(stop, self.n_draws)
            yield start, stop
            start, stop = stop, 2 * stop


class NotGiven(Enum):
    """The default of a keyword that may be None."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return str(self.value)


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


class Given(NamedTuple):
    """The settings of draws that `predict` was given, which may do without draws."""

    n_draws: int | None = None
    seed: int | None = None
    share: Share | NotGiven = NOT_GIVEN
    samples: Samples | None = None
    tolerance: float | None = None
    progress: bool | None = None

    def how(self) -> How:
        """These settings, and the defaults of the others."""
        return How(**self._found())

    def refuse(self, without: str, got: str) -> None:
        """ValueError where there are any: `without` something that draws they have no effect."""
        if found := ", ".join(self._found()):
            raise ValueError(f"{found} must come with {without}, got {got}")

    def _found(self) -> dict[str, Any]:
        unset = self._field_defaults
        return {name: each for name, each in self._asdict().items() if each is not unset[name]}


class Part(NamedTuple):
    """Rows that have been drawn often enough, by their places, and their draws."""

    places: Array
    draws: Array  # raw outputs, shape (n_draws, rows, outputs)


class Drawer:
    """Networks, and the rows to draw for.

    Draw d of m networks is draw ``d // m`` of network ``d % m``; a network without dropout gives
    the same each time.  If a seed is given, number i of several networks has its masks from the
    seed derived for i (`thinnet.derived_seed`).

    Parameters
    ----------
    networks : sequence of Network
    X : array or sparse matrix, shape (rows, features)
    n_threads : int, optional
    """

    def __init__(self, networks: Sequence[Network], X: Any, n_threads: int | None = None) -> None:
        self.networks, self.X, self.n_threads = networks, X, n_threads
        self.noisy = [summary.has_random_masks(network) for network in networks]
        if not any(self.noisy) and len(networks) == 1:
            raise checks.NothingDrawsError(
                "the model must have active dropout to draw from, or several networks: "
                "fit it with a dropout rate above 0 (got rates of 0)"
            )

    @property
    def rows(self) -> int:
        return int(self.X.shape[0])

    def enough(self, how: How) -> How:
        """`how` with no more draws than differ: those of networks with fixed masks repeat."""
        distinct = len(self.networks) * math.lcm(*map(summary.distinct_draws, self.networks))
        if distinct == 0 or how.n_draws <= distinct:  # 0 means that they never repeat
            return how
        return how._replace(n_draws=distinct, tolerance=None)

    def sample(self, how: How, first: int = 0) -> Array:
        """All draws at once, raw, shape (n_draws, rows, outputs)."""
        checks.integer("first", first, 0, MAX_STEP)
        ids = row_ids(how.samples, self.rows, "X", how.share)
        numbers = range(first, first + how.n_draws)
        return self._draw(numbers, how, ids, slice(None), how.progress)

    def _draw(
        self, numbers: range, how: How, ids: Ids, rows: Any, progress: bool | None = False
    ) -> Array:
        X, ids, m = self.X[_slice_of(rows)], ids[rows], len(self.networks)
        network = self.networks[0]
        out = room((len(numbers), X.shape[0], *network.out), network.dtype)
        with limited(self.n_threads):
            for i, (network, noisy) in enumerate(zip(self.networks, self.noisy, strict=True)):
                mine = numbers[(i - numbers.start) % m :: m]
                if len(mine) and noisy:
                    out[mine.start - numbers.start :: m] = network.sample(
                        X, len(mine), first=mine.start // m, seed=_seed_of(how, i, m),
                        share=how.share, samples=ids if how.share is None else None,
                        progress=progress,
                    )  # fmt: skip
                elif len(mine):
                    out[mine.start - numbers.start :: m] = network.outputs(X)
        return out

    @standard_mode()
    def gathered(
        self,
        how: How,
        measured: Callable[[Array], Array],
        summarise: Callable[[Part], dict[str, Array]],
    ) -> dict[str, Array]:
        """The arrays that `summarise` makes of each of the `parts`, in the order of the rows."""
        found: dict[str, Array] = {}
        for part in self.parts(how, measured):
            for name, of_part in summarise(part).items():
                shape = (self.rows, *of_part.shape[1:])
                whole = found.setdefault(name, np.empty(shape, of_part.dtype))
                whole[part.places] = of_part
        return found

    def parts(self, how: How, measured: Callable[[Array], Array]) -> Iterator[Part]:
        """The draws of all rows, some rows at a time.

        With a tolerance a row is done when the standard error of the mean of ``measured(draws)``
        is small enough, whatever other rows there are.
        """
        how, ids = self.enough(how), row_ids(how.samples, self.rows, "X", how.share)
        size = how.n_draws * self.networks[0].out[0] * np.dtype(np.float64).itemsize
        step = max(1, BLOCK_BYTES // size)
        with bars.opened(how.progress, "sampling", 0, self.rows, PATIENCE) as bar:
            for start in range(0, self.rows, step):
                block = np.arange(start, min(start + step, self.rows))
                for part in self._block(how, ids, block, measured):
                    yield part
                    bar.advance(len(part.places))

    def _block(
        self, how: How, ids: Ids, waiting: Array, measured: Callable[[Array], Array]
    ) -> Iterator[Part]:
        held: list[Array] = []
        for start, stop in how.looks():
            held.append(self._draw(range(start, stop), how, ids, waiting))
            draws = np.concatenate(held) if len(held) > 1 else held[0]
            if stop == how.n_draws or how.tolerance is None:
                yield Part(waiting, draws)
                return
            error = standard_error(measured(draws)).reshape(len(waiting), -1)
            done = (error <= how.tolerance).all(axis=1)
            if done.any():
                yield Part(waiting[done], draws[:, done])
            waiting, held = waiting[~done], [draws[:, ~done]]
            if not len(waiting):
                return


def _seed_of(how: How, network: int, n_networks: int) -> int | None:
    """The seed of one network's masks; different for each network if one seed is given."""
    if how.seed is None or n_networks == 1:
        return how.seed
    return derived_seed(how.seed, network)


def _slice_of(rows: Any) -> Any:
    """Consecutive places as a slice, which copies nothing; other places as they are."""
    if isinstance(rows, slice) or len(rows) != rows[-1] - rows[0] + 1:
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)


def standard_error(values: Array) -> Array:
    """The standard error of the mean over draws, (rows, outputs), of (n_draws, rows, outputs)."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.sqrt(reducing.variance(values, ddof=1) / len(values))
