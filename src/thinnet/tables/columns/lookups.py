"""What a fitted `TableEncoder` computes, as rows of `thinnet.Columns`: a few numbers a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, TargetEncoder

from thinnet.arrays import Array
from thinnet.layers import ColumnEncoding
from thinnet.layers.encodings import BIN, CATEGORY, VALUE  # a column has its inputs in this order
from thinnet.tables.columns.flat import UNSEEN, labels_encoded, text_column
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.pieces import PiecewiseLinear
from thinnet.tables.reading.cells import Frame

Compute: TypeAlias = Callable[[Frame], Array]


class Piece(NamedTuple):
    """Some inputs of a column, and how many of the encoder's features they are."""

    column: str
    kind: int
    features: int

    @property
    def slots(self) -> int:
        return self.features if self.kind == VALUE else 1


class Step(NamedTuple):
    """A part of the encoder: its pieces, and a function that gives their slots side by side."""

    pieces: list[Piece]
    compute: Compute


class Lookups(NamedTuple):
    """The columns of a table as `thinnet.Columns` reads them.

    `features` has the number of the encoder's feature that each input of the encodings is, and
    `slots` that of each slot among those of the steps.
    """

    encodings: tuple[ColumnEncoding, ...]
    features: Array
    slots: Array
    computed: tuple[Compute, ...]

    def rows(self, ready: Frame) -> Array:
        """A table that has been prepared as rows of slots, float32."""
        found = [compute(ready) for compute in self.computed]
        return np.concatenate(found, axis=1, dtype=np.float32)[:, self.slots]


class Placed(NamedTuple):
    """A piece, its first feature and its first slot among those of the steps."""

    piece: Piece
    feature: int
    slot: int


_known: WeakKeyDictionary[ColumnTransformer, Lookups] = WeakKeyDictionary()


def lookups_of(transformer: ColumnTransformer) -> Lookups:
    """Of a fitted transformer of an encoder.

    Raises
    ------
    ValueError
        If a step is not one of the encoder's own.
    """
    if transformer not in _known:
        _known[transformer] = _lookups(transformer)
    return _known[transformer]


def _lookups(transformer: ColumnTransformer) -> Lookups:
    placed, computed, slot = list[Placed](), list[Compute](), 0
    for name, fitted, columns in transformer.transformers_:
        feature = transformer.output_indices_[name]
        if feature == slice(0, 0):
            continue
        step, feature = _step(transformer, name, fitted, columns), feature.start
        computed.append(step.compute)
        for piece in step.pieces:
            placed.append(Placed(piece, feature, slot))
            feature, slot = feature + piece.features, slot + piece.slots
    names = [str(name) for name in transformer.feature_names_in_]
    placed.sort(key=lambda each: (names.index(each.piece.column), each.piece.kind))
    features = [range(each.feature, each.feature + each.piece.features) for each in placed]
    slots = [range(each.slot, each.slot + each.piece.slots) for each in placed]
    return Lookups(_encodings(placed), _joined(features), _joined(slots), tuple(computed))


def _joined(ranges: Sequence[range]) -> Array:
    return np.concatenate([np.array(each, np.int64) for each in ranges])


def _encodings(placed: Sequence[Placed]) -> tuple[ColumnEncoding, ...]:
    counts = dict[str, list[int]]()
    for (column, kind, features), _, _ in placed:
        counts.setdefault(column, [0, 0, 0])[kind] += features
    return tuple(ColumnEncoding(*each) for each in counts.values())


def _step(transformer: ColumnTransformer, name: str, fitted: Any, columns: Any) -> Step:
    if type(fitted) is HashedText:
        return _text(fitted, text_column(transformer, columns))
    names, last = [str(each) for each in columns], fitted
    if type(fitted) is Pipeline:
        last = fitted[-1]
    if type(last) is PiecewiseLinear:
        return _bins(fitted, names)
    if type(last) is QuantileTransformer:
        return _each_column(fitted, names, VALUE)
    if type(last) is MissingIndicator:
        return _each_column(fitted, names, CATEGORY)
    if type(last) is OneHotEncoder and (tables := labels_encoded(fitted, names)) is not None:
        return _codes(tables, names)
    if type(last) is TargetEncoder:
        place = transformer.output_indices_[name]
        return _each_column(fitted, names, VALUE, (place.stop - place.start) // len(names))
    raise ValueError(f"steps of the encoder must be its own for lookups, got {name!r}")


def _each_column(fitted: Any, names: list[str], kind: int, features: int = 1) -> Step:
    """As many numbers for each column: a normal score, means, or whether the cell is missing."""
    pieces = [Piece(name, kind, features) for name in names]
    return Step(pieces, lambda ready: np.asarray(fitted.transform(ready[names])))


def _bins(fitted: Pipeline, names: list[str]) -> Step:
    fill, last = fitted
    pieces = [Piece(n, BIN, len(edges) - 1) for n, edges in zip(names, last.edges_, strict=True)]
    return Step(pieces, lambda ready: last.positions(fill.transform(ready[names])))


def _codes(tables: Sequence[Mapping[str, Array]], names: list[str]) -> Step:
    """The number of the feature that a label sets, from 1 on; 0 where it sets none."""
    codes = [{k: int(row.argmax()) + 1 if row.any() else 0 for k, row in t.items()} for t in tables]
    pieces = [
        Piece(name, CATEGORY, len(table[UNSEEN])) for name, table in zip(names, tables, strict=True)
    ]

    def compute(ready: Frame) -> Array:
        pairs = zip(names, codes, strict=True)
        found = [ready[name].map(known).fillna(known[UNSEEN]) for name, known in pairs]
        return np.array(found, np.float32).T

    return Step(pieces, compute)


def _text(fitted: HashedText, name: str) -> Step:
    piece = Piece(name, VALUE, fitted.n_features)
    return Step([piece], lambda ready: fitted.transform(ready[name]).toarray())
