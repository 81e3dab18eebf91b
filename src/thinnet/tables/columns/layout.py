"""Where the slots of an encoder lie in a row, and what inputs of a network they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.impute import MissingIndicator
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from thinnet.arrays import Array
from thinnet.layers import ColumnEncoding
from thinnet.layers.encodings import BIN, CATEGORY, VALUE  # a column has its inputs in this order
from thinnet.tables.columns.codes import Codes
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.pieces import BinPositions, PiecewiseLinear


class Piece(NamedTuple):
    """Slots of a column: their kind, and the names of the inputs that they stand for."""

    column: str
    kind: int
    names: tuple[str, ...]

    @property
    def slots(self) -> int:
        return len(self.names) if self.kind == VALUE else 1


class Layout(NamedTuple):
    """The columns of a row by their names, and their inputs.

    `places` has for each part where its slots lie in a row, and `sources` for each input its place
    among those of all parts, one after the other.
    """

    columns: tuple[str, ...]
    encodings: tuple[ColumnEncoding, ...]
    names: tuple[str, ...]
    places: tuple[Array, ...]
    sources: Array

    @property
    def slots(self) -> int:
        return sum(each.slots for each in self.encodings)


def laid_out(parts: Sequence[Sequence[Piece]]) -> Layout:
    """Column by column, as they first appear, with bins before values before categories."""
    pieces = [piece for part in parts for piece in part]
    columns = list(dict.fromkeys(piece.column for piece in pieces))
    rank = {column: i for i, column in enumerate(columns)}
    order = sorted(range(len(pieces)), key=lambda i: (rank[pieces[i].column], pieces[i].kind))
    counts = {column: [0, 0, 0] for column in columns}
    starts, slot = [0] * len(pieces), 0
    for i in order:
        counts[pieces[i].column][pieces[i].kind] += len(pieces[i].names)
        starts[i], slot = slot, slot + pieces[i].slots
    found = iter(np.arange(start, start + p.slots) for start, p in zip(starts, pieces, strict=True))
    places = tuple(np.concatenate([next(found) for _ in part]) for part in parts)
    names = tuple(name for i in order for name in pieces[i].names)
    ends = np.cumsum([len(piece.names) for piece in pieces])
    sources = np.concatenate([np.arange(ends[i] - len(pieces[i].names), ends[i]) for i in order])
    encodings = tuple(
        ColumnEncoding(bins, values, codes) for bins, values, codes in counts.values()
    )
    return Layout(tuple(columns), encodings, names, places, sources)


def pieces_of(transformer: Any, columns: Sequence[str]) -> list[Piece]:
    """What a fitted transformer makes of some columns.

    The numbers of one that is not an encoder's own are inputs as they are, each of the column that
    has its name.
    """
    kind, names = type(transformer), np.array(columns, object)
    if kind is BinPositions:
        edges = PiecewiseLinear.get_feature_names_out(transformer, names)
        return _pieces(columns, BIN, edges, [len(edges) - 1 for edges in transformer.edges_])
    if kind is Codes:
        labels = OneHotEncoder.get_feature_names_out(transformer, names)
        return _pieces(columns, CATEGORY, labels, transformer.widths.tolist())
    if kind is MissingIndicator:
        return _pieces(columns, CATEGORY, [f"{name} is missing" for name in columns])
    inputs = [str(name) for name in transformer.get_feature_names_out(names)]
    if kind is TargetEncoder:
        counts = [len(inputs) // len(columns)] * len(columns)
        return _pieces(columns, VALUE, [f"mean target of {name}" for name in inputs], counts)
    if kind is HashedText:
        return _pieces(columns, VALUE, inputs, [len(inputs)])
    return _pieces(inputs, VALUE, inputs)


def _pieces(
    columns: Sequence[str], kind: int, names: Iterable[str], counts: Sequence[int] = ()
) -> list[Piece]:
    """A piece for each column, which has the next of the names; one if there are no counts."""
    rest = iter(names)
    own = counts or [1] * len(columns)
    return [
        Piece(column, kind, tuple(str(next(rest)) for _ in range(n)))
        for column, n in zip(columns, own, strict=True)
    ]
