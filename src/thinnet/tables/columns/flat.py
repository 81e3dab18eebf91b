"""What a fitted `TableEncoder` computes, laid out for a few rows: arrays and dictionaries.

Each of scikit-learn's transformers checks its input anew and takes longer for that than a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from scipy import special
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, TargetEncoder

from thinnet.arrays import Array
from thinnet.tables.columns.clipping import SmoothlyClipped
from thinnet.tables.columns.codes import Codes
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.parts import ColumnParts
from thinnet.tables.columns.pieces import BinPositions, PiecewiseLinear

Cells: TypeAlias = Mapping[str, Any]  # a column's numbers or labels by its name
Compute: TypeAlias = Callable[[Cells], Array]
NEARLY: Final = 1e-7  # a number so near an end of the range is beyond it for `QuantileTransformer`
UNSEEN: Final = "\0 a label of no table"


class Flat(NamedTuple):
    """Functions, each with the places in a row of the numbers that it computes."""

    width: int
    computes: list[tuple[slice | Array, Compute]]

    def rows(self, cells: Cells, rows: int) -> Array:
        found = np.zeros((rows, self.width), np.float32)
        for where, compute in self.computes:
            found[:, where] = compute(cells)
        return found


_known: WeakKeyDictionary[Any, Flat | None] = WeakKeyDictionary()


def flat_of(fitted: ColumnParts | ColumnTransformer) -> Flat | None:
    """What parts compute, or the transformer of an earlier model; None if one is not our own."""
    if fitted not in _known:
        _known[fitted] = _flat(fitted) if isinstance(fitted, ColumnParts) else _flat_earlier(fitted)
    return _known[fitted]


def _flat(parts: ColumnParts) -> Flat | None:
    computes = [_compute(part.transformer, list(part.columns)) for part in parts.parts]
    known = [compute for compute in computes if compute is not None]
    if len(known) < len(computes):
        return None
    return Flat(parts.layout.slots, list(zip(parts.layout.places, known, strict=True)))


def _flat_earlier(transformer: ColumnTransformer) -> Flat | None:
    places, computes, width = transformer.output_indices_, [], 0
    for name, fitted, columns in transformer.transformers_:
        is_text = type(fitted) is HashedText
        names = [text_column(transformer, columns)] if is_text else [str(n) for n in columns]
        compute = _compute(fitted, names)
        if compute is None and places[name] != slice(0, 0):
            return None
        if compute is not None:
            computes.append((places[name], compute))
            width = max(width, places[name].stop)
    return Flat(width, computes)


def _compute(fitted: Any, names: list[str]) -> Compute | None:
    kind = type(fitted)
    if kind is HashedText:
        return _hashing(fitted, *names)
    if kind in (Codes, OneHotEncoder, TargetEncoder):
        return _looking_up(fitted, names)
    if kind is MissingIndicator:
        return lambda cells: np.isnan(_numbers(cells, names))
    if kind is Pipeline and len(fitted) == 2 and type(fitted[0]) is SimpleImputer:
        last, medians = fitted[1], fitted[0].statistics_
        if type(last) is SmoothlyClipped:
            return lambda cells: last.of(_filled(cells, names, medians))
        if type(last) is QuantileTransformer and last.output_distribution == "normal":
            return _quantiles(last, medians, names)
        if type(last) is BinPositions:
            return _positions(last, medians, names)
        if type(last) is PiecewiseLinear:
            return _pieces(last, medians, names)
    return None


def text_column(transformer: ColumnTransformer, column: Any) -> str:
    """The name of the column of a text; in models of earlier versions it is what stands there."""
    named = isinstance(column, str)
    return column if named else str(transformer.feature_names_in_[column])


def _numbers(cells: Cells, names: Sequence[str]) -> Array:
    return np.array([cells[name] for name in names], np.float64).T


def _filled(cells: Cells, names: Sequence[str], medians: Array) -> Array:
    x = _numbers(cells, names)
    return np.where(np.isnan(x), medians, x)


def _quantiles(fitted: QuantileTransformer, medians: Array, names: list[str]) -> Compute:
    """Fractions of a normal distribution, from both sides of equal quantiles."""
    heights = np.ascontiguousarray(fitted.references_)
    known = np.ascontiguousarray(fitted.quantiles_.T)
    falling, down = np.ascontiguousarray(-known[:, ::-1]), -heights[::-1]
    low, high = known[:, 0], known[:, -1]
    least = special.ndtri(NEARLY - np.spacing(1))
    most = special.ndtri(1 - (NEARLY - np.spacing(1)))

    def compute(cells: Cells) -> Array:
        x = _filled(cells, names, medians)
        found = np.empty(x.shape)
        for j, (up, back) in enumerate(zip(known, falling, strict=True)):
            column = x[:, j]
            found[:, j] = np.interp(column, up, heights) - np.interp(-column, back, down)
        found *= 0.5
        found[x + NEARLY > high] = 1.0
        found[x - NEARLY < low] = 0.0
        return np.clip(special.ndtri(found), least, most)

    return compute


def _pieces(fitted: PiecewiseLinear, medians: Array, names: list[str]) -> Compute:
    edges = fitted.edges_
    column = np.repeat(np.arange(len(edges)), [len(each) - 1 for each in edges])
    low = np.concatenate([each[:-1] for each in edges])
    width = np.concatenate([np.diff(each) for each in edges])

    def compute(cells: Cells) -> Array:
        x = _filled(cells, names, medians)[:, column]
        with np.errstate(over="ignore"):  # above a bin of next to no width: its fraction is 1
            return np.clip((x - low) / width, 0, 1)

    return compute


def _positions(fitted: BinPositions, medians: Array, names: list[str]) -> Compute:
    edges = fitted.edges_
    most = max(map(len, edges))
    padded = np.array([[*each, *[np.inf] * (most - len(each))] for each in edges])
    last = np.array([len(each) - 2 for each in edges])
    column = np.arange(len(edges))

    def compute(cells: Cells) -> Array:
        x = _filled(cells, names, medians)
        own = np.minimum((x[:, :, None] >= padded[:, 1:]).sum(axis=2), last)
        low, high = padded[column, own], padded[column, own + 1]
        with np.errstate(over="ignore"):  # as in `_pieces`
            return own + np.clip((x - low) / (high - low), 0, 1)

    return compute


def _looking_up(fitted: OneHotEncoder | TargetEncoder, names: list[str]) -> Compute | None:
    """The features of each label by itself, and of `UNSEEN`, one that is new.

    None where it can't be said which features are whose.
    """
    known = [[*map(str, labels), UNSEEN] for labels in fitted.categories_]
    most = max(map(len, known))
    every = np.array([[*labels, *[UNSEEN] * (most - len(labels))] for labels in known], object).T
    encoded = np.asarray(fitted.transform(_framed(every, names)), np.float32)
    ends = np.cumsum(_widths(fitted, encoded.shape[1])).tolist()
    if ends[-1] != encoded.shape[1]:
        return None
    tables = [
        dict(zip(labels, encoded[: len(labels), start:end], strict=True))
        for labels, start, end in zip(known, [0, *ends], ends, strict=False)
    ]

    def compute(cells: Cells) -> Array:
        pairs = zip(names, tables, strict=True)
        rows = [[t.get(label, t[UNSEEN]) for label in cells[name]] for name, t in pairs]
        return np.concatenate(rows, axis=1)

    return compute


def _widths(fitted: OneHotEncoder | TargetEncoder, together: int) -> list[int]:
    """The features of each column."""
    n = len(fitted.categories_)
    if isinstance(fitted, TargetEncoder | Codes):
        return [together // n] * n
    rare = getattr(fitted, "infrequent_categories_", [None] * n)
    return [
        len(labels) if few is None else len(labels) - len(few) + 1
        for labels, few in zip(fitted.categories_, rare, strict=True)
    ]


def _framed(labels: Array, names: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(labels, columns=names, dtype=object)


def _hashing(fitted: HashedText, name: str) -> Compute:
    return lambda cells: fitted.transform(cells[name]).toarray()
