"""What each column of a row adds to the sums of the first layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thinnet.arithmetic import lane_sum
from thinnet.arrays import Array
from thinnet.layers import Columns, Dense
from thinnet.layers.encodings import places_of
from thinnet.layers.lookups import looked_up
from thinnet.network import Network
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.explained.made import column_of_each, made_by
from thinnet.tables.explained.passes import slopes_at
from thinnet.tracing.passing import Taken


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """The first layer's sums as what each column adds to them, and the bias.

    ``sums = bias + added.sum(axis=0)``, to rounding.

    Attributes
    ----------
    columns : tuple of str
        The table's columns that are used.
    added : array of float64, shape (columns, units)
    bias, sums : array of float64, shape (units,)
        `sums` are what the activation of the first layer gets.
    slopes : array of float64, shape (units, answers)
        The derivatives of the network's answers by `sums`, in the units of the answers.
    """

    columns: tuple[str, ...]
    added: Array
    bias: Array
    sums: Array
    slopes: Array

    @property
    def norms(self) -> Array:
        """The length of what each column adds, shape (columns,)."""
        return np.sqrt(lane_sum(np.square(self.added).T))

    @property
    def effects(self) -> Array:
        """``added @ slopes``: what each column adds to the answers, to first order.

        Where ReLU or another bend lies between, an answer moves otherwise if the column is
        changed as a whole; shape (columns, answers).
        """
        return np.asarray(lane_sum(np.moveaxis(self.added[..., None] * self.slopes, 1, 0)))


def first_layer(
    encoder: TableEncoder, network: Network, taken: Taken, of_outputs: Array
) -> FirstLayer:
    """The first layer of a pass.

    Parameters
    ----------
    encoder : TableEncoder
        It has encoded the row.
    network : Network
    taken : Taken
        A prediction for one row.
    of_outputs : array, shape (outputs, answers)
        The derivatives of the answers by the network's outputs.
    """
    at = first_with_weights(network)
    layer, p = network.layers[at], network.sites[at].p
    x = taken.x if at == 0 else taken.outputs[at - 1]
    each = _of_lookups(layer, x, p.W) if isinstance(layer, Columns) else _of_inputs(x, p.W)
    columns, added = _by_column(encoder, each, is_encoded=isinstance(layer, Columns))
    bias, sums = (np.array(part, np.float64) for part in (p.b, taken.outputs[at][0]))
    return FirstLayer(columns, added, bias, sums, slopes_at(taken, at, of_outputs))


def first_with_weights(network: Network) -> int:
    """The place of the first layer that has weights; before it only inputs are dropped."""
    kinds = (Columns, Dense)
    return next(i for i, layer in enumerate(network.layers) if isinstance(layer, kinds))


def _of_lookups(layer: Columns, x: Array, W: Array) -> Array:
    """What each column of an encoded row adds, shape (columns, units)."""
    return np.concatenate([looked_up(x, place, W.T) for place in places_of(layer.columns)])


def _of_inputs(x: Array, W: Array) -> Array:
    """What each number of a row adds, shape (numbers, units)."""
    return x[0][:, None] * W.T


def _by_column(
    encoder: TableEncoder, each: Array, *, is_encoded: bool
) -> tuple[tuple[str, ...], Array]:
    """The sums over what a column of the table has become."""
    used = [column.name for column in encoder.columns_ if column.kind != "left out"]
    rows = _rows_encoded(encoder) if is_encoded else _rows_earlier(encoder)
    added = [lane_sum(each[rows[name]].astype(np.float64)) for name in used]
    return tuple(used), np.stack(added)


def _rows_encoded(encoder: TableEncoder) -> Mapping[str, list[int]]:
    """For each column of the table the places of its own among those of the layer."""
    assert encoder.parts_ is not None
    names = encoder.parts_.layout.columns
    return _grouped(encoder, [(name, [i]) for i, name in enumerate(names)])


def _rows_earlier(encoder: TableEncoder) -> Mapping[str, list[int]]:
    return _grouped(encoder, [(made.name, made.places.tolist()) for made in made_by(encoder)])


def _grouped(encoder: TableEncoder, pairs: list[tuple[str, list[int]]]) -> dict[str, list[int]]:
    column_of = column_of_each(encoder)
    found: dict[str, list[int]] = {name: [] for name in column_of.values()}
    for name, places in pairs:
        found[column_of[name]] += places
    return found
