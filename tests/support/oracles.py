"""Slow plain twins, written from the specification and the papers, never from src."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import config

PURPOSES = {
    "train": 0,
    "predict": 1,
    "weights": 2,
    "shuffle": 3,
    "split": 4,
    "seeds": 5,
    "studies": 6,
}


def philox(counter, key, rounds=10):
    """Philox4x32 (Salmon et al. 2011) in plain integers; `key` is (low, high)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def words(seed, purpose, layer, step, sample, block):
    stream = PURPOSES[purpose] * 2**24 + layer
    return philox((block, sample, step, stream), (seed % 2**32, seed // 2**32))


def threshold(rate):
    if rate in (0, 1):
        return rate * 65536
    return min(max(round(rate * 65536), 1), 65535)


def keep(seed, purpose, layer, step, sample, unit, rate):
    """spec/masks.md, points 1 to 3, for one unit."""
    word = words(seed, purpose, layer, step, sample, unit // 8)[unit % 8 // 2]
    draw = word // 2**16 if unit % 2 else word % 2**16
    return draw >= threshold(rate)


def keep_rows(seed, purpose, layer, step, samples, units, rate):
    return np.array(
        [[keep(seed, purpose, layer, step, s, u, rate) for u in range(units)] for s in samples],
        bool,
    ).reshape(len(samples), units)


def normal(seed, purpose, layer, step, sample, unit):
    """spec/masks.md, "Normal numbers", for one unit."""
    w = words(seed, purpose, layer, step, sample, unit // 4)
    first, second = w[:2] if unit % 4 < 2 else w[2:]
    radius = math.sqrt(-2 * math.log((first + 1) / 2**32))
    angle = 2 * math.pi * (second / 2**32)
    return radius * (math.sin(angle) if unit % 2 else math.cos(angle))


def normal_rows(seed, purpose, layer, step, samples, units):
    return np.array(
        [[normal(seed, purpose, layer, step, s, u) for u in range(units)] for s in samples]
    )


def derived_seed(seed, member):
    low, high, _, _ = philox((member, 0, 0, 5 * 2**24), (seed % 2**32, seed // 2**32))
    return high * 2**32 + low


def permutation(seed, purpose, step, n):
    """The numbers 0 to n - 1, sorted by a 64-bit key each."""

    def key(i):
        low, high, _, _ = words(seed, purpose, 0, step, 0, i)
        return high * 2**32 + low

    return sorted(range(n), key=key)


def numeric_gradient(loss, values, step=1e-5):
    """Central differences of ``loss()`` by each entry of the float64 array `values`, in place.

    Two step sizes, extrapolated (Richardson): the error is of fourth order.
    """
    flat, slope = values.reshape(-1), np.empty(values.size)
    assert values.dtype == np.float64
    assert values.flags.c_contiguous

    def central(i, h):
        old = flat[i]
        flat[i] = old + h
        up, above = flat[i], loss()
        flat[i] = old - h
        down, below = flat[i], loss()
        flat[i] = old
        return (above - below) / (up - down)

    with unchecked_types():
        for i in range(flat.size):
            slope[i] = (4 * central(i, step) - central(i, 2 * step)) / 3
    return slope.reshape(values.shape)


@contextmanager
def unchecked_types() -> Iterator[None]:
    """Annotations are not checked inside: as fast, and as forgiving, as production."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", before)
