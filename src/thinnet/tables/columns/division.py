"""Which part of an encoder makes what of which columns."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.impute import MissingIndicator

from thinnet.tables.columns import transformers
from thinnet.tables.columns.parts import ColumnPart
from thinnet.tables.columns.transformers import bins
from thinnet.tables.reading.cells import Frame

FEW_CATEGORIES: Final = 100  # of a column that has no mean targets


class Sizes(NamedTuple):
    """The parameters of `TableEncoder` that say how much a column becomes."""

    n_bins: Any
    min_frequency: Any
    max_categories: int


def unfitted(ready: Frame, texts: Set[str], sizes: Sizes, *, has_target: bool) -> list[ColumnPart]:
    """The parts for prepared columns, of which `texts` are long texts, not yet fitted."""
    numbers = [name for name in ready.columns if ready[name].dtype == np.float64]
    labels = [name for name in ready.columns if name not in {*numbers, *texts}]
    few = min(sizes.max_categories, FEW_CATEGORIES)
    many = [name for name in labels if has_target and ready[name].nunique() > few]
    holes = [name for name in numbers if ready[name].isna().any()]
    rows = len(ready)
    n_bins, in_parts = bins(sizes.n_bins, rows), list(transformers.by_memory(numbers, rows))
    codes = transformers.codes(sizes.min_frequency, sizes.max_categories, rows)
    parts = [
        *(("number", transformers.clipped(), some) for some in in_parts),
        *(("piece", transformers.positions(n_bins), some) for some in in_parts),
        ("hole", MissingIndicator(features="all"), holes),
        ("category", codes, labels),
        ("mean", transformers.mean_targets(), many),
        *(("text", transformers.hashed(), [name]) for name in ready.columns if name in texts),
    ]
    return [ColumnPart(name, part, tuple(columns)) for name, part, columns in parts if columns]
