"""Are the labels of a classification labels, or does each row have its own?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.tables.columns.kinds import ENOUGH

MOST: Final = 0.5  # classes a row, above which there is nothing to learn of most of them


def check_repeats(name: str, labels: Any) -> None:
    """ValueError for too many different labels of `name`."""
    n, distinct = len(labels), np.unique(np.asarray(labels))
    if n >= ENOUGH and len(distinct) > MOST * n:
        raise ValueError(
            f"{name} must hold labels that come again, got {len(distinct):,} different ones in "
            f"{n:,} rows, such as {str(distinct[0])!r}: they name their rows, or are numbers for a "
            "regression"
        )
