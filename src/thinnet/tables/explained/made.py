"""What each transformer of a fitted encoder makes of each column, and where it lies in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from thinnet.arrays import Array
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.flat import text_column
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.layout import pieces_of
from thinnet.tables.columns.parts import ColumnParts
from thinnet.tables.columns.pieces import PiecewiseLinear
from thinnet.tables.columns.preparing import names_of_parts

KNOWN: Final = 64  # tables whose columns are remembered


class Made(NamedTuple):
    """Numbers of a row that one transformer makes of one column.

    Attributes
    ----------
    name : str
        The column as it was prepared: of a date "born: day" and others.
    transformer : object
        It is fitted to several columns.
    column : int
        The place of this one among them.
    places : array of int
        Where the numbers lie in a row.
    filler : float or None
        What stands in for a missing number; None if nothing does.
    """

    name: str
    transformer: Any
    column: int
    places: Array
    filler: float | None = None


def made_by(encoder: TableEncoder) -> list[Made]:
    """All numbers of a row, by the transformers that make them."""
    if encoder.parts_ is not None:
        return list(_made_by_parts(encoder.parts_))
    assert encoder.transformer_ is not None
    return list(_made_earlier(encoder.transformer_))


def _made_by_parts(parts: ColumnParts) -> Iterator[Made]:
    for part, places in zip(parts.parts, parts.layout.places, strict=True):
        start = 0
        for i, piece in enumerate(pieces_of(part.last, part.columns)):
            own = places[start : start + piece.slots]
            yield Made(piece.column, part.last, i, own, _filler(part.transformer, i))
            start += piece.slots


def _made_earlier(transformer: ColumnTransformer) -> Iterator[Made]:
    """The same of an earlier model, whose rows have a number for each input."""
    for step, fitted, columns in transformer.transformers_:
        places = np.arange(transformer.output_indices_[step].stop)
        places = places[transformer.output_indices_[step]]
        if not len(places):
            continue
        last = fitted[-1] if isinstance(fitted, Pipeline) else fitted
        of_text = isinstance(last, HashedText)
        names = [text_column(transformer, columns)] if of_text else list(map(str, columns))
        ends = np.cumsum(_counts(last, len(names), len(places)))
        for i, (name, own) in enumerate(zip(names, np.split(places, ends[:-1]), strict=True)):
            yield Made(name, last, i, own, _filler(fitted, i))


def _counts(last: Any, columns: int, numbers: int) -> Sequence[int]:
    """How many numbers each column becomes."""
    if isinstance(last, PiecewiseLinear):
        return [len(edges) - 1 for edges in last.edges_]
    if isinstance(last, OneHotEncoder):
        return widths(last)
    if isinstance(last, MissingIndicator):
        return [int(i in last.features_) for i in range(columns)]
    return [numbers // columns] * columns


def widths(encoder: OneHotEncoder) -> list[int]:
    """How many categories of each column have a code; the last one is that of the rare, if any."""
    pairs = zip(encoder.categories_, rare_of(encoder), strict=True)
    return [len(a) if few is None else len(a) - len(few) + 1 for a, few in pairs]


def rare_of(encoder: OneHotEncoder) -> list[Array | None]:
    """The rare categories of each column, which share a code; None where there are none."""
    rare = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return list(rare)


def _filler(transformer: Any, column: int) -> float | None:
    if not isinstance(transformer, Pipeline):
        return None
    found = float(transformer[0].statistics_[column])
    return None if np.isnan(found) else found


def column_of_each(encoder: TableEncoder) -> Mapping[str, str]:
    """The table's column of each prepared one."""
    return _column_of_each(encoder.columns_)


@lru_cache(maxsize=KNOWN)
def _column_of_each(columns: tuple[Column, ...]) -> Mapping[str, str]:
    found = names_of_parts(columns)
    pairs = {part: column for column, parts in found.items() for part in parts}
    return MappingProxyType(pairs)
