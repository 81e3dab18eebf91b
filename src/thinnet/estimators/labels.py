"""Which classes there are among labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.uncertainty.draws.heads import TargetType


class Labels(NamedTuple):
    """Which classes there are, sorted, and what a row has of them: one of two, of many, or several.

    Raises
    ------
    ValueError
        If the targets are not classes.
    """

    classes: Array
    kind: TargetType

    @classmethod
    def of(cls, y: Any, classes: Any = None) -> Labels:
        """Those of `y`; or of `classes`, all that there will be, where `y` is one label a row."""
        from sklearn.utils.multiclass import check_classification_targets, type_of_target

        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), kind)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y must be one label a row, or 0s and 1s for several labels at once, got "
                f"{kind} targets"
            )
        found = np.unique(y if classes is None else classes)
        return cls(found, "binary" if len(found) <= 2 else "multiclass")
