"""Whether sparse rows are multiplied as they are stored, entry by entry, or made dense first."""

from __future__ import annotations

from typing import Final, NamedTuple

from thinnet.arrays import Array
from thinnet.engine.data_layout import Data, SparseRows
from thinnet.engine.lowered import Bound
from thinnet.engine.lowering import NO_OPERATION
from thinnet.layers import Dense, DropConnect, Dropout

MOST_ENTRIES: Final = 0.2  # of all places, up to which entries are faster than dense tiles


class Batch(NamedTuple):
    """How many rows the largest has, and whether it is read as sparse rows are stored."""

    rows: int
    sparse: bool


def pays(network: Bound, X: Data) -> bool:
    """A matter of speed alone: the bits are the same."""
    return not isinstance(X, Array) and _is_sparse(X) and multiplies_first(network)


def _is_sparse(X: SparseRows) -> bool:
    rows, columns = X.shape
    few = len(X.indices) <= MOST_ENTRIES * rows * columns
    return few and X.has_canonical_format


def multiplies_first(network: Bound) -> bool:
    """Is the first layer, or the one behind a plain Dropout, a product?"""
    layers = [layer for layer in network.layers if type(layer) not in NO_OPERATION]
    if layers and type(layers[0]) is Dropout and not layers[0].share_axes:
        del layers[0]
    return bool(layers) and type(layers[0]) in (Dense, DropConnect)
