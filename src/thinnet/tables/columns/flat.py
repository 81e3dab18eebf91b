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
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.pieces import PiecewiseLinear

Parts: TypeAlias = Mapping[str, Any]  # a column's numbers or labels by its name
Step: TypeAlias = Callable[[Parts], Array]
NEARLY: Final = 1e-7  # a number so near an end of the range is beyond it for `QuantileTransformer`
UNSEEN: Final = "\0 a label of no table"


class Flat(NamedTuple):
    """The steps of a `ColumnTransformer`, each with the features that it writes."""

    width: int
    steps: list[tuple[slice, Step]]

    def features(self, parts: Parts, rows: int) -> Array:
        found = np.zeros((rows, self.width), np.float32)
        for where, step in self.steps:
            found[:, where] = step(parts)
        return found


_known: WeakKeyDictionary[ColumnTransformer, Flat | None] = WeakKeyDictionary()


def flat_of(transformer: ColumnTransformer) -> Flat | None:
    """The steps of a fitted transformer; None if one is not an encoder's own."""
    if transformer not in _known:
        _known[transformer] = _flat(transformer)
    return _known[transformer]


def _flat(transformer: ColumnTransformer) -> Flat | None:
    places, steps, width = transformer.output_indices_, [], 0
    for name, fitted, columns in transformer.transformers_:
        step = _step(transformer, fitted, columns)
        if step is None and places[name] != slice(0, 0):
            return None
        if step is not None:
            steps.append((places[name], step))
            width = max(width, places[name].stop)
    return Flat(width, steps)


def _step(transformer: ColumnTransformer, fitted: Any, columns: Any) -> Step | None:
    kind = type(fitted)
    if kind is HashedText:
        return _hashing(fitted, text_column(transformer, columns))
    names = [str(name) for name in columns]
    if kind is OneHotEncoder or kind is TargetEncoder:
        return _looking_up(fitted, names)
    if kind is MissingIndicator:
        return lambda parts: np.isnan(_numbers(parts, names))
    if kind is Pipeline and len(fitted) == 2 and type(fitted[0]) is SimpleImputer:
        last, medians = fitted[1], fitted[0].statistics_
        if type(last) is QuantileTransformer and last.output_distribution == "normal":
            return _quantiles(last, medians, names)
        if type(last) is PiecewiseLinear:
            return _pieces(last, medians, names)
    return None


def text_column(transformer: ColumnTransformer, column: Any) -> str:
    """The name of the column of a text; in models of earlier versions it is what stands there."""
    named = isinstance(column, str)
    return column if named else str(transformer.feature_names_in_[column])


def _numbers(parts: Parts, names: Sequence[str]) -> Array:
    return np.array([parts[name] for name in names], np.float64).T


def _filled(parts: Parts, names: Sequence[str], medians: Array) -> Array:
    x = _numbers(parts, names)
    return np.where(np.isnan(x), medians, x)


def _quantiles(fitted: QuantileTransformer, medians: Array, names: list[str]) -> Step:
    """Fractions of a normal distribution, from both sides of equal quantiles."""
    heights = np.ascontiguousarray(fitted.references_)
    known = np.ascontiguousarray(fitted.quantiles_.T)
    falling, down = np.ascontiguousarray(-known[:, ::-1]), -heights[::-1]
    low, high = known[:, 0], known[:, -1]
    least = special.ndtri(NEARLY - np.spacing(1))
    most = special.ndtri(1 - (NEARLY - np.spacing(1)))

    def step(parts: Parts) -> Array:
        x = _filled(parts, names, medians)
        found = np.empty(x.shape)
        for j, (up, back) in enumerate(zip(known, falling, strict=True)):
            column = x[:, j]
            found[:, j] = np.interp(column, up, heights) - np.interp(-column, back, down)
        found *= 0.5
        found[x + NEARLY > high] = 1.0
        found[x - NEARLY < low] = 0.0
        return np.clip(special.ndtri(found), least, most)

    return step


def _pieces(fitted: PiecewiseLinear, medians: Array, names: list[str]) -> Step:
    edges = fitted.edges_
    column = np.repeat(np.arange(len(edges)), [len(each) - 1 for each in edges])
    low = np.concatenate([each[:-1] for each in edges])
    width = np.concatenate([np.diff(each) for each in edges])

    def step(parts: Parts) -> Array:
        x = _filled(parts, names, medians)[:, column]
        with np.errstate(over="ignore"):  # above a bin of next to no width: its fraction is 1
            return np.clip((x - low) / width, 0, 1)

    return step


def labels_encoded(
    fitted: OneHotEncoder | TargetEncoder, names: list[str]
) -> list[dict[str, Array]] | None:
    """For each column the features of each label by itself, and of `UNSEEN`, one that is new.

    None where it can't be said which features are whose.
    """
    known = [[*map(str, labels), UNSEEN] for labels in fitted.categories_]
    most = max(map(len, known))
    every = np.array([[*labels, *[UNSEEN] * (most - len(labels))] for labels in known], object).T
    encoded = np.asarray(fitted.transform(_framed(every, names)), np.float32)
    ends = np.cumsum(_widths(fitted, encoded.shape[1])).tolist()
    if ends[-1] != encoded.shape[1]:
        return None
    return [
        dict(zip(labels, encoded[: len(labels), start:end], strict=True))
        for labels, start, end in zip(known, [0, *ends], ends, strict=False)
    ]


def _looking_up(fitted: OneHotEncoder | TargetEncoder, names: list[str]) -> Step | None:
    if (tables := labels_encoded(fitted, names)) is None:
        return None

    def step(parts: Parts) -> Array:
        pairs = zip(names, tables, strict=True)
        rows = [[t.get(label, t[UNSEEN]) for label in parts[name]] for name, t in pairs]
        return np.concatenate(rows, axis=1)

    return step


def _widths(fitted: OneHotEncoder | TargetEncoder, together: int) -> list[int]:
    """The features of each column."""
    n = len(fitted.categories_)
    if isinstance(fitted, TargetEncoder):
        return [together // n] * n
    rare = getattr(fitted, "infrequent_categories_", [None] * n)
    return [
        len(labels) if few is None else len(labels) - len(few) + 1
        for labels, few in zip(fitted.categories_, rare, strict=True)
    ]


def _framed(labels: Array, names: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(labels, columns=names, dtype=object)


def _hashing(fitted: HashedText, name: str) -> Step:
    return lambda parts: fitted.transform(parts[name]).toarray()
