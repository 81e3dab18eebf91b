"""The classes of labels, of which a row may have several."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin

from thinnet import sparse
from thinnet.arrays import Array, MatrixLike, TargetLike, VectorLike
from thinnet.uncertainty.draws.heads import TargetType


class Labels(NamedTuple):
    """The classes, sorted, and their kind: a row has one of two, one of many, or several.

    Raises
    ------
    ValueError
        If the targets are not classes.
    """

    classes: Array
    kind: TargetType

    @classmethod
    def of(cls, y: Any, classes: Any = None) -> Labels:
        """The labels in `y`; or `classes`, if given, where `y` has one label a row."""
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


class MultilabelClassifierMixin(ClassifierMixin):
    """scikit-learn's mixin, for classifiers that take several labels a row, sparse ones too."""

    def score(self, X: MatrixLike, y: TargetLike, sample_weight: VectorLike | None = None) -> float:
        """The fraction of rows whose labels are right; of several labels all must be.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)
        y : array, shape (n_samples,) or (n_samples, n_classes)
        sample_weight : array, shape (n_samples,), optional

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted, or y is not as above.
        """
        return float(super().score(X, sparse.own_rows("y", y), sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
