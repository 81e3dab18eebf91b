"""Class labels to targets of a loss, and outputs to class labels."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy

Kind: TypeAlias = Literal["binary", "multiclass", "multilabel-indicator"]


class Labels(NamedTuple):
    """Which classes there are, sorted, and what a row has of them: one of two, of many, or several.

    Raises
    ------
    ValueError
        If the targets are not classes.
    """

    classes: Array
    kind: Kind

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

    @property
    def n_outputs(self) -> int:
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def loss(self) -> Loss:
        return SoftmaxCrossEntropy() if self.kind == "multiclass" else BinaryCrossEntropy()

    def unknown(self, y: Any) -> Array:
        """The labels of `y` that are not among the classes."""
        from sklearn.utils.multiclass import unique_labels

        return np.setdiff1d(unique_labels(y), self.classes)

    def targets(self, y: Any) -> Array:
        """What the loss takes: places among the classes, or 0s and 1s, a column for each output."""
        if self.kind == "multilabel-indicator":
            return np.asarray(y.todense() if hasattr(y, "todense") else y, np.float64)
        if self.kind == "multiclass":
            return np.searchsorted(self.classes, y)
        return (np.asarray(y) == self.classes[-1]).astype(np.float64) * (len(self.classes) - 1)

    def names(self, outputs: Array) -> Array:
        """The most probable label of each row, or 0s and 1s, from raw outputs."""
        if self.kind == "multilabel-indicator":
            return (outputs > 0).astype(int)
        if self.kind == "multiclass":
            return self.classes[outputs.argmax(axis=1)]
        return self.classes[(outputs[:, 0] > 0).astype(int) * (len(self.classes) - 1)]

    def probabilities(self, outputs: Array) -> Array:
        """A column for each class."""
        p = self.loss.predict(outputs)
        return np.hstack([1 - p, p]) if self.kind == "binary" else p
