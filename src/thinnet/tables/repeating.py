"""The check that labels of a classification repeat."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.tables.columns.kinds import ENOUGH

MOST: Final = 0.5  # classes over rows; with more, most classes have too few rows to be learned


def check_repeats(name: str, labels: Any) -> None:
    """ValueError for too many different labels of `name`."""
    n, distinct = len(labels), np.unique(np.asarray(labels))
    if n >= ENOUGH and len(distinct) > MOST * n:
        raise ValueError(
            f"{name} must hold labels that come again, got {len(distinct):,} different ones in "
            f"{n:,} rows, such as {str(distinct[0])!r}: they name their rows, or are numbers for a "
            "regression"
        )
