"""The transformers that a `TableEncoder` is made of, not yet fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import TargetEncoder

from thinnet.tables.columns.clipping import SmoothlyClipped
from thinnet.tables.columns.codes import Codes
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.pieces import BinPositions

TOGETHER: Final = 2**24  # numbers that a transformer is fitted to, of which it makes copies
ROWS_A_BIN: Final = 150
TEXT_WIDTH: Final = 256


def clipped() -> Pipeline:
    return Pipeline([("fill", _filled()), ("clip", SmoothlyClipped())])


def positions(n_bins: int) -> Pipeline:
    return Pipeline([("fill", _filled()), ("piece", BinPositions(n_bins))])


def codes(min_frequency: float | str, max_categories: int, rows: int) -> Codes:
    auto = min_frequency == "auto"
    return Codes(
        handle_unknown="infrequent_if_exist",
        min_frequency=int(np.clip(rows // 100, 2, 10)) if auto else int(min_frequency),
        max_categories=max_categories,
        dtype=np.float32,
    )


def mean_targets() -> TargetEncoder:
    return TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))


def hashed() -> HashedText:
    return HashedText(analyzer="char_wb", ngram_range=(2, 4), n_features=TEXT_WIDTH)


def bins(n_bins: int | str, rows: int) -> int:
    """How many pieces a column of numbers has, where `n_bins` may be 'auto'."""
    if n_bins != "auto":
        return int(n_bins)
    return int(2 ** np.clip(round(math.log2(max(rows, 1) / ROWS_A_BIN)), 2, 6))


def by_memory(columns: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    """Some of the columns at a time: all of them, unless the table is large."""
    n = max(TOGETHER // max(rows, 1), 1)
    return (columns[start : start + n] for start in range(0, len(columns), n))


def _filled() -> SimpleImputer:
    return SimpleImputer(strategy="median", keep_empty_features=True)
