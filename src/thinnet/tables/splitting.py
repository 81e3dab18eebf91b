"""Which rows a table's networks learn from, and which are held out: at random, in groups, in time.

By groups no part has rows of a group that another has.  By time nothing is learned from rows that
are later than those held out: each network learns from the rows before a date, from half of the
table to most of it, and stops by those behind it, up to the next network's date; rows of one moment
stay together.  None of these networks knows the last rows, so the final ones learn from all rows,
for the number of epochs that was best on the rows held out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from thinnet import checks
from thinnet.arrays import Array
from thinnet.tables.beside import Beside

Split: TypeAlias = tuple[Array, Array]  # the places of training rows, and of rows held out
RANDOM: Final = Beside()
FIRST: Final = 0.5  # the fraction of rows, in time, that all networks learn from
OF_MEANS: Final = 5  # folds for the mean targets of categories


def strata(y: Array, parts: float) -> Array | None:
    """`y`, if each of its classes has a row for each of so many equal parts; None for numbers."""
    if y.dtype.kind == "f":
        return None
    return y if np.unique(y, return_counts=True)[1].min() >= parts else None


def held_out(y: Array, fraction: float, seed: int, beside: Beside = RANDOM) -> Split:
    """The places of training rows and of a `fraction`, in (0, 1), held out to stop or measure by.

    If all rows of a class would be held out, they are training rows instead; by groups their
    groups are, unless none would be left; by time, which allows no choice, they stay held out.

    Raises
    ------
    ValueError
        If there are not two groups or two times at least.
    """
    if beside.times is not None:
        return _last(beside.times, fraction)
    if beside.groups is not None:
        return _some_groups(beside.groups, y, fraction, seed)
    kept, held = _parted(y, fraction, seed)
    if y.dtype.kind == "f":
        return kept, held
    places = np.unique(y, return_inverse=True)[1]
    unseen = ~np.isin(places[held], places[kept])
    return np.append(kept, held[unseen]), held[~unseen]


def splits(
    estimator: Any, y: Array, stream: np.random.RandomState, beside: Beside = RANDOM
) -> Iterator[Split]:
    """The training rows of each network, and the rows held out to stop by.

    Raises
    ------
    ValueError
        If there are fewer groups than networks, or not a moment more than networks.
    """
    n, networks = len(y), estimator.n_networks
    seed = stream.randint(2**31)
    if networks == 1:
        fraction = max(estimator.validation_fraction, 1 / n)
        kept, held = held_out(y, fraction, seed, beside)
        return iter([(kept, held) if len(held) else _parted(y, fraction, seed)])
    if beside.times is not None:
        return _in_time(beside.times, networks)
    if beside.groups is not None:
        return _of_groups(beside.groups, y, networks, seed)
    folds = max(2, min(networks, n // 2))
    stratify = strata(y, folds)
    kind = KFold if stratify is None else StratifiedKFold
    return kind(folds, shuffle=True, random_state=seed).split(np.zeros(n), stratify)


def folds_of_means(of_networks: list[Split], beside: Beside) -> list[Split] | None:
    """The folds whose rows get mean targets of categories from the training rows of the fold.

    They are the networks' own, so that no row held out has lent its target, or its group's, or one
    that is later, to what a network learns from.  None where rows are held out at random.
    """
    if beside.times is None and beside.groups is None:
        return None
    if beside.times is not None or len(of_networks) > 1:
        return of_networks
    ((kept, _),) = of_networks
    groups = beside.groups[kept]  # type: ignore[index]
    n = len(np.unique(groups))
    if n < 2:
        return of_networks
    parts = GroupKFold(min(n, OF_MEANS)).split(np.zeros(len(kept)), groups=groups)
    return [*of_networks, *((kept[a], kept[b]) for a, b in parts)]


def _parted(y: Array, fraction: float, seed: int) -> Split:
    stratify = strata(y, 1 / min(fraction, 1 - fraction))
    places = np.arange(len(y))
    kept, held = train_test_split(places, test_size=fraction, random_state=seed, stratify=stratify)
    return kept, held


def _count(groups: Array, least: int = 2) -> int:
    """The number of groups, which are codes from 0 of which some may be missing."""
    n = len(np.unique(groups))
    checks.must(n >= 2, "groups", "of two different ones at least, so that one can be held out", n)
    checks.must(n >= least, "n_networks", f"at most the number of groups, {n}", least)
    return n


def _of_groups(groups: Array, y: Array, networks: int, seed: int) -> Iterator[Split]:
    """Folds that part no group, with the classes in about equal parts where that can be."""
    _count(groups, networks)
    rows, stratify = np.zeros(len(y)), strata(y, networks)
    if stratify is not None:
        kind = StratifiedGroupKFold(networks, shuffle=True, random_state=seed)
        found = list(kind.split(rows, stratify, groups))
        if all(len(held) for _, held in found):
            return iter(found)
    kind = GroupKFold(networks, shuffle=True, random_state=seed)
    return iter(list(kind.split(rows, groups=groups)))


def _some_groups(groups: Array, y: Array, fraction: float, seed: int) -> Split:
    """Groups in a random order, until their rows are about the `fraction`."""
    n, (_, codes) = _count(groups), np.unique(groups, return_inverse=True)
    order = np.random.RandomState(seed).permutation(n)
    sizes = np.bincount(codes)[order]
    middles = np.cumsum(sizes) - sizes / 2
    taken = int(np.clip((middles <= fraction * len(y)).sum(), 1, n - 1))
    is_held = np.isin(codes, order[:taken])
    if y.dtype.kind != "f":
        only_held = np.setdiff1d(y[is_held], y[~is_held])
        others = is_held & ~np.isin(codes, codes[is_held & np.isin(y, only_held)])
        is_held = others if others.any() else is_held
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def _last(times: Array, fraction: float) -> Split:
    """About the last `fraction` of the rows; rows of one moment stay together."""
    ranks, until = _moments(times)
    cut = int(np.abs(until[:-1] - (1 - fraction) * len(times)).argmin())
    return np.flatnonzero(ranks <= cut), np.flatnonzero(ranks > cut)


def _in_time(times: Array, networks: int) -> Iterator[Split]:
    """A split for each network, which learns from all rows before those held out."""
    ranks, until = _moments(times)
    most = len(until) - 1
    allowed = f"at most {most}, one less than the different times"
    checks.must(networks <= most, "n_networks", allowed, networks)
    aims = len(times) * np.linspace(FIRST, 1, networks + 1)[:-1]
    cuts, least = [], 0
    for i, aim in enumerate(aims):
        last = most - networks + i  # so that a moment is left for each of the others
        cuts.append(int(np.clip(np.abs(until - aim).argmin(), least, last)))
        least = cuts[-1] + 1
    ends = [*cuts[1:], most]
    return iter(
        [
            (np.flatnonzero(ranks <= cut), np.flatnonzero((ranks > cut) & (ranks <= end)))
            for cut, end in zip(cuts, ends, strict=True)
        ]
    )


def _moments(times: Array) -> tuple[Array, Array]:
    """The rank of each row's time, and how many rows there are until each time."""
    _, ranks, counts = np.unique(times, return_inverse=True, return_counts=True)
    allowed = "of two different times at least, so that the last can be held out"
    checks.must(len(counts) >= 2, "time", allowed, len(counts))
    return ranks, np.cumsum(counts)
