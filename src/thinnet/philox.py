"""Random numbers as a pure function: Philox4x32-10 (Salmon et al. 2011), no state anywhere.

A *stream* has the random numbers of one layer in one step for one purpose; inside it every number
is addressed by a sample and a unit.  The layout of the counter is fixed by the mask specification
(docs/masks.md), so that anyone can recompute any number in any language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from jaxtyping import Integer

from thinnet import arithmetic, checks
from thinnet.arrays import Array, Float, Ids

Purpose: TypeAlias = Literal["train", "predict", "weights", "shuffle", "split", "seeds", "studies"]
PURPOSES: Final[dict[str, int]] = {name: i for i, name in enumerate(get_args(Purpose))}

SHARED: Final = 0xFFFFFFFF  # the sample whose mask all rows share
MAX_SEED: Final = 2**64 - 1
MAX_STEP: Final = 2**32 - 1
MAX_SAMPLE: Final = 2**32 - 2
MAX_UNIT: Final = 2**32 - 2
MAX_LAYER: Final = 2**24 - 1

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_BLOCK = 16_384  # counters computed at once, so that a round's temporaries stay in cache

Words: TypeAlias = Integer[Array, "..."] | np.integer
Seed: TypeAlias = int | np.integer | np.random.Generator | np.random.RandomState | None


class Stream(NamedTuple):
    seed: int
    purpose: Purpose
    layer: int = 0
    step: int = 0

    @property
    def number(self) -> int:
        return PURPOSES[self.purpose] << 24 | self.layer


def philox(counter: tuple[Any, ...], seed: int) -> tuple[Words, ...]:
    """The four 32-bit words (held in uint64) of Philox4x32-10 at `counter`, key `seed`.

    The four counter words broadcast against each other.
    """
    c0, c1, c2, c3 = (np.asarray(c, np.uint64) for c in counter)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c2 = (second >> _HALF) ^ c1 ^ np.uint64(k0), (first >> _HALF) ^ c3 ^ np.uint64(k1)
        c1, c3 = second & _LOW, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def words(stream: Stream, samples: Ids, blocks: int) -> Integer[Array, "rows blocks 4"]:
    """The words of counters ``(block, sample, step, stream)`` as uint32."""
    out = np.empty((len(samples), blocks, 4), np.uint32)
    block = np.arange(blocks, dtype=np.uint64)[None, :]
    rows_at_once = max(1, _BLOCK // max(blocks, 1))
    for start in range(0, len(samples), rows_at_once):
        rows = slice(start, start + rows_at_once)
        sample = samples[rows, None].astype(np.uint64)
        counter = (block, sample, np.uint64(stream.step), np.uint64(stream.number))
        for word, values in enumerate(philox(counter, stream.seed)):
            out[rows, :, word] = values
    return out


def sixteen_bits(stream: Stream, samples: Ids, units: int) -> Integer[Array, "rows units"]:
    """A 16-bit number for each sample and unit; eight neighbouring units share a counter."""
    halves = words(stream, samples, -(-units // 8)).astype("<u4", copy=False).view("<u2")
    return halves.reshape(len(samples), halves.shape[1] * 8)[:, :units]


def _pairs(stream: Stream, samples: Ids, units: int, turn: Callable[..., Any]) -> Array:
    """Two numbers for each pair of words: those that `turn` computes from (first, second)."""
    w = words(stream, samples, -(-units // 4)).astype(np.float64)
    even, odd = turn(w[..., 0::2], w[..., 1::2])
    return np.stack([even, odd], axis=-1).reshape(len(samples), w.shape[1] * 4)[:, :units]


def normals(stream: Stream, samples: Ids, units: int) -> Float[Array, "rows units"]:
    """Standard normal numbers in float64 (Box and Muller 1958)."""

    def turn(first: Array, second: Array) -> tuple[Array, Array]:
        radius = np.sqrt(-2 * arithmetic.log((first + 1) / 2**32))
        c, s = arithmetic.cos_sin(second / 2**32)
        return radius * c, radius * s

    return _pairs(stream, samples, units, turn)


def uniforms(stream: Stream, samples: Ids, units: int) -> Float[Array, "rows units"]:
    """Numbers in (0, 1), in float64, in the layout of `normals`."""
    return _pairs(stream, samples, units, lambda u, v: ((u + 0.5) / 2**32, (v + 0.5) / 2**32))


def _keys(seed: int, purpose: Purpose, step: int, n: int) -> Integer[Array, " n"]:
    """A 64-bit number for each of the counters ``(0..n-1, 0, step, purpose << 24)``."""
    low, high = words(Stream(seed, purpose, step=step), np.zeros(1, np.uint64), n)[0, :, :2].T
    return low.astype(np.uint64) | high.astype(np.uint64) << _HALF


def permutation(seed: int, purpose: Purpose, step: int, n: int) -> Integer[Array, " n"]:
    """The numbers 0 to n - 1 in the order of their keys: a shuffle without a generator."""
    return order_of(_keys(seed, purpose, step, n))


def order_of(keys: Integer[Array, " n"]) -> Integer[Array, " n"]:
    """The places of `keys` in ascending order; equal keys keep their order."""
    order = np.argsort(keys)  # several times as fast as a stable sort
    ordered = keys[order]
    return np.argsort(keys, kind="stable") if (ordered[1:] == ordered[:-1]).any() else order


def derived_seed(seed: int, member: int) -> int:
    """The seed of ensemble member (or fold) number `member` (docs/masks.md).

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.
    member : int
        0 to 2^32 - 1.

    Returns
    -------
    int
        0 to 2^64 - 1.

    Raises
    ------
    ValueError
        If `seed` or `member` is out of its range.

    Examples
    --------
    >>> derived_seed(0, 1) != derived_seed(0, 2)
    True
    """
    checks.integer("seed", seed, 0, MAX_SEED)
    checks.integer("member", member, 0, 2**32 - 1)
    counter = tuple(np.uint64(c) for c in (member, 0, 0, PURPOSES["seeds"] << 24))
    low, high, _, _ = philox(counter, int(seed))
    return int(low) | int(high) << 32


def as_seed(seed: Seed) -> int:
    """An integer seed: `seed` itself, 64 bits of a generator, or for None the system's entropy."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(MAX_SEED, dtype=np.uint64, endpoint=True))
    if isinstance(seed, np.random.RandomState):
        return int(seed.randint(0, MAX_SEED + 1, dtype=np.uint64))
    return checks.integer("seed", seed, 0, MAX_SEED)
