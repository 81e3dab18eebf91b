"""Draws: passes with random masks that learn nothing (Monte Carlo dropout)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Rows, Samples, Share
from thinnet.console import progress as bars
from thinnet.console.progress import PATIENCE
from thinnet.masks import check_share, row_ids
from thinnet.network import executor, summary
from thinnet.network.bound import Bound
from thinnet.passes import Run
from thinnet.philox import MAX_SEED, MAX_STEP

Forward: TypeAlias = Callable[[Any, Run], tuple[Rows, Any]]
KINDS: Final = {"batch": "draw", None: "element"}  # share: the kind of compiled pass
BLOCK_ROWS: Final = 4096  # rows that one pass of the reference executor takes


class Draws(NamedTuple):
    """The numbers of some draws, and the seed of their masks."""

    numbers: range
    seed: int

    @classmethod
    def of(cls, network: Bound, n_draws: int, first: int, seed: int | None) -> Draws:
        checks.integer("n_draws", n_draws, 1)
        checks.integer("first", first, 0, MAX_STEP)
        checks.integer("the number of the last draw", first + n_draws - 1, 0, MAX_STEP)
        if seed is not None:
            checks.integer("seed", seed, 0, MAX_SEED)
        if not summary.has_random_masks(network):
            raise ValueError(
                "sampling needs a layer that draws, such as Dropout with a rate above 0; "
                f"got {network!r}"
            )
        return cls(range(first, first + n_draws), network.seed if seed is None else int(seed))


def sample(
    network: Bound,
    forward: Forward,
    x: Any,
    draws: Draws,
    share: Share,
    samples: Samples | None,
    show: bool | None,
) -> Array:
    """The raw outputs of each draw, for checked rows; `forward` is the reference executor's."""
    check_share("share", share)
    rows, numbers = x.shape[0], draws.numbers
    ids = row_ids(samples, rows, "X", share)
    out = room((len(numbers), rows, *network.out), network.dtype)

    def run_of(number: int, block: slice) -> Run:
        own = ids[block] if share is None else None
        return Run.sample(number, own, draws.seed, share=share)

    with bars.opened(show, "sampling", 0, len(numbers) * rows, PATIENCE) as bar:
        if executor.is_compiled(network):
            with executor.Lent(network, KINDS[share], x) as passes:
                passes.sample(x, ids, numbers, draws.seed, out, bar.advance)
            return out
        for number, outputs in zip(numbers, out, strict=True):
            in_blocks(forward, x, partial(run_of, number), outputs)
            bar.advance(rows)
    return out


def room(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """An empty array for draws; MemoryError, with a sentence, if they don't fit in memory."""
    try:
        return np.empty(shape, dtype)
    except (MemoryError, ValueError) as error:
        raise MemoryError(
            f"draws of shape {shape} don't fit in memory: an estimator's `uncertainty` reduces "
            "them as they come"
        ) from error


def in_blocks(forward: Forward, x: Any, run: Callable[[slice], Run], out: Array) -> None:
    """Write the outputs of passes of the reference executor, over blocks of rows, to `out`."""
    for start in range(0, len(out), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(out)))
        out[rows], _ = forward(x[rows], run(rows))
