"""The size and the shape of the errors of a table's networks, from the rows held out.

A row is held out from one network, but predictions are the mean of all networks, whose errors are
smaller.  The other networks show by how much.  A network's errors on its training rows are about
its errors on new rows times a number below 1; so their correlation with the errors of the network
that these rows were held out from is the correlation of two networks' errors on new rows.  Networks
that learn from all rows in the end differ less from each other, but know more rows than those of
the folds: the same number is taken for them.

Where rows have weights, the shape, the correlation and the observed coverage are those of a table
in which a row stands as often as its weight says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from thinnet.arithmetic import lane_sum, normal_quantile, tree_sum
from thinnet.arrays import Array
from thinnet.network import Network
from thinnet.tables.members import TableRows, draws_of, own_weights
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.curves import Curves
from thinnet.uncertainty.draws.distributions import central
from thinnet.uncertainty.draws.mixtures import Gaussians
from thinnet.uncertainty.draws.shapes import Shape, shape_of, standardised

COVERAGES: Final = (0.5, 0.8, 0.9, 0.95)
FEWEST: Final = 5  # rows held out; from fewer nothing is learned
LEAST_DRAWS: Final = 6  # the least number of draws of each network


class Calibration(NamedTuple):
    """The shape of a regressor's errors, and the coverage of its intervals on other rows.

    Attributes
    ----------
    shape : Shape
        The shape of the errors in the network's units, divided by the standard deviations of the
        draws and their noise.
    rows : int
        The number of held-out rows that it was learned from.
    coverages : tuple of float
        The nominal coverages of intervals.
    held : tuple of float
        The fraction of held-out targets inside these intervals, with a shape learned from the rows
        of other folds; the mean over several outputs.
    """

    shape: Shape
    rows: int
    coverages: tuple[float, ...]
    held: tuple[float, ...]


class Folds(NamedTuple):
    """Some of the rows held out, and for each the network that was not trained on it."""

    X: Array
    y: Array
    owner: Array
    weights: Array | None = None

    @classmethod
    def of(cls, held: Sequence[TableRows]) -> Folds:
        """The folds of held-out rows, at most `noise.MOST_ROWS` of each network."""
        owner = np.repeat(np.arange(len(held)), [len(rows.y) for rows in held])
        X, y = (np.concatenate(part) for part in zip(*(rows[:2] for rows in held), strict=True))
        return cls(X, y, owner, own_weights(held))


def of_folds(
    mixture: Callable[[Array], Gaussians],
    held: Sequence[TableRows],
    stopped: Sequence[Network],
    networks: Sequence[Network],
) -> Calibration | None:
    """The calibration from the errors on folds; None if there are too few rows.

    Parameters
    ----------
    mixture : callable
        Makes the mixture of raw outputs of shape (n_draws, rows, outputs).
    held : sequence of TableRows
        Of the rows held out from each of `stopped`, at most `noise.MOST_ROWS`.
    stopped : sequence of Network
        The networks that were trained on folds.
    networks : sequence of Network
        The networks that predictions will come from.
    """
    folds = Folds.of(held)
    center = np.concatenate(
        [
            standardised(mixture(draws_of(network, folds.X[folds.owner == i], noise.N_DRAWS)))[0]
            for i, network in enumerate(stopped)
        ]
    )
    _, spread = standardised(mixture(_of_all(networks, folds.X)))
    plain = np.stack([mixture(n.outputs(folds.X)[None]).centers[0] for n in stopped])
    errors = (folds.y - center) / spread * _of_mean(folds.y - plain, folds.owner, folds.weights)
    halves = np.arange(len(errors)) % 2  # two halves of each network's rows
    return _calibration(errors, folds.owner if len(stopped) > 1 else halves, folds.weights)


def of_others(
    mixture: Callable[[Array], Gaussians], rows: TableRows, networks: Sequence[Network]
) -> Calibration | None:
    """The calibration from rows that no network was trained on."""
    some = rows.part(noise.some_rows(len(rows.y)))
    center, spread = standardised(mixture(_of_all(networks, some.X)))
    return _calibration((some.y - center) / spread, np.arange(len(some.y)) % 2, some.own)


def curves_of_folds(
    curves: Callable[[Array], Curves],
    held: Sequence[TableRows],
    stopped: Sequence[Network],
) -> Calibration | None:
    """As `of_folds`, of networks that give quantiles: errors are targets as normal scores."""
    folds = Folds.of(held)
    errors, plain = np.empty(folds.y.shape), []
    for i, network in enumerate(stopped):
        mine = folds.owner == i
        found = curves(draws_of(network, folds.X[mine], noise.N_DRAWS))
        errors[mine] = found.scored(folds.y[mine])[0]
        plain.append(curves(network.outputs(folds.X)[None]).each.centers[0])
    errors *= _of_mean(folds.y - np.stack(plain), folds.owner, folds.weights)
    halves = np.arange(len(errors)) % 2
    return _calibration(errors, folds.owner if len(stopped) > 1 else halves, folds.weights)


def curves_of_others(
    curves: Callable[[Array], Curves], rows: TableRows, networks: Sequence[Network]
) -> Calibration | None:
    """As `of_others`, of networks that give quantiles."""
    some = rows.part(noise.some_rows(len(rows.y)))
    errors, _ = curves(_of_all(networks, some.X)).scored(some.y)
    return _calibration(errors, np.arange(len(some.y)) % 2, some.own)


def _of_all(networks: Sequence[Network], X: Array) -> Array:
    n = max(math.ceil(noise.N_DRAWS / len(networks)), LEAST_DRAWS)
    return np.concatenate([draws_of(network, X, n) for network in networks])


def _of_mean(errors: Array, owner: Array, weights: Array | None) -> Array:
    """The error of the networks' mean on new rows over that of one network, shape (outputs,)."""
    k, rows = len(errors), np.arange(len(owner))
    if k == 1:
        return np.ones(errors.shape[-1])
    if weights is not None:
        errors = errors * np.sqrt(weights)[:, None]  # so that their squares are weighed
    own = errors[owner, rows]
    others = errors[(owner + np.arange(1, k)[:, None]) % k, rows]
    product = tree_sum(np.square(own)) * (k - 1) * tree_sum(lane_sum(np.square(others)))
    together = tree_sum(lane_sum(own * others)) / np.sqrt(np.maximum(product, 1e-300))
    return np.asarray(np.sqrt((1 + (k - 1) * np.clip(together, 0, 1)) / k))


def _calibration(errors: Array, group: Array, weights: Array | None) -> Calibration | None:
    fine = np.isfinite(errors).all(axis=1)
    errors, group = errors[fine], group[fine]
    weights = None if weights is None else weights[fine]
    if len(errors) < FEWEST:
        return None
    inside = np.transpose(_held(errors, group, weights), (1, 0, 2))
    of_rows = None if weights is None else np.broadcast_to(weights[:, None], inside.shape[1:])
    held = [min(float(np.average(part, weights=of_rows)), 1.0) for part in inside]
    return Calibration(shape_of(errors, weights), len(errors), COVERAGES, tuple(held))


def _held(errors: Array, group: Array, weights: Array | None) -> Array:
    """Whether errors are inside intervals of other groups' shape, (rows, coverages, outputs)."""
    ends = normal_quantile(np.array([central(coverage) for coverage in COVERAGES]))
    held = np.empty((len(errors), len(COVERAGES), errors.shape[1]), bool)
    for one in np.unique(group):
        mine = group == one
        others = np.full(len(mine), True) if mine.all() else ~mine
        shape = shape_of(errors[others], None if weights is None else weights[others])
        bounds = shape.at(ends)
        here = errors[mine][:, None, :]
        held[mine] = (here >= bounds[:, 0]) & (here <= bounds[:, 1])
    return held
