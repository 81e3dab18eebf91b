"""What a column of an encoded row adds to sums, and what slopes add to its weights, as lookups."""

from __future__ import annotations

import numpy as np

from thinnet.arrays import Array, Out, Table
from thinnet.layers.encodings import Place


def bins(x: Table, place: Place) -> tuple[Array, Array]:
    """The bin of each row, and its fraction."""
    position = x[:, place.slot]
    own = np.minimum(np.floor(position), place.encoding.bins - 1)
    return own.astype(np.int64), position - own


def looked_up(x: Table, place: Place, weights: Array) -> Out:
    """What a column adds to each row's sums; `weights` has a row for each input."""
    y = x[:, place.value_slots] @ weights[place.values]
    y -= np.array(place.encoding.offsets, weights.dtype) @ weights[place.inputs]
    if place.encoding.bins:
        own, fraction = bins(x, place)
        below = np.zeros((place.encoding.bins, weights.shape[1]), weights.dtype)
        np.cumsum(weights[place.bins][:-1], axis=0, out=below[1:])
        y += below[own] + fraction[:, None] * weights[place.bins][own]
    if place.encoding.categories:
        code = x[:, place.code_slot].astype(np.int64)
        y += np.where((code > 0)[:, None], weights[place.categories][np.maximum(code, 1) - 1], 0)
    return y


def add_up(x: Table, place: Place, slopes: Out, g: Array) -> None:
    """The gradient of a column's weights, from the slopes of all rows."""
    np.matmul(x[:, place.value_slots].T, slopes, out=g[place.values])
    if place.encoding.bins:
        own, fraction = bins(x, place)
        partly, wholly = np.zeros((2, place.encoding.bins, slopes.shape[1]), slopes.dtype)
        np.add.at(partly, own, fraction[:, None] * slopes)
        np.add.at(wholly, own, slopes)
        above = np.cumsum(wholly[:0:-1], axis=0)[::-1]  # of the bins above each, from the highest
        partly[:-1] += above
        g[place.bins] = partly
    if place.encoding.categories:
        code = x[:, place.code_slot].astype(np.int64)
        found = np.zeros((place.encoding.categories, slopes.shape[1]), slopes.dtype)
        np.add.at(found, code[code > 0] - 1, slopes[code > 0])
        g[place.categories] = found
    g[place.inputs] -= np.outer(np.array(place.encoding.offsets, g.dtype), np.sum(slopes, axis=0))


def slopes_of_slots(x: Table, place: Place, slopes: Out, weights: Array, dx: Table) -> None:
    """The gradient of a row's numbers; 0 of a code, which is none."""
    dx[:, place.value_slots] = slopes @ weights[place.values].T
    if place.encoding.bins:
        own, _ = bins(x, place)
        dx[:, place.slot] = np.sum(slopes * weights[place.bins][own], axis=1)
