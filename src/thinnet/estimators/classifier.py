"""A multilayer perceptron for classes, with scikit-learn's parameters and its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import get_args

import numpy as np
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if

from thinnet import sparse
from thinnet.arrays import (
    Array,
    ClassWeight,
    EvalSet,
    MatrixLike,
    TargetLike,
    VectorLike,
)
from thinnet.estimators.base import MLP, takes_steps
from thinnet.estimators.labels import Labels, MultilabelClassifierMixin
from thinnet.estimators.parameters import FITTED, PARAMETERS
from thinnet.estimators.predicting import PredictsClasses
from thinnet.uncertainty.draws.heads import ClassHead, TargetType, check_learned, one_column


@dataclass(eq=False, repr=False)
class MLPClassifier(MultilabelClassifierMixin, MLP, PredictsClasses):
    __doc__ = f"""A multilayer perceptron for classes: scikit-learn's MLPClassifier, with dropout.

    One label a row, of two classes or more, or several labels at once (an indicator matrix).

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, 'balanced', list of dict or None, default=None
        Factors of the sample weights by class; 'balanced' is inverse to the class frequencies.

    Attributes
    ----------
    {FITTED}
    classes_ : array, shape (n_classes,)
        The labels, sorted.

    Raises
    ------
    ValueError
        In fit, if a parameter is out of its range or the data can't be used.

    References
    ----------
    Srivastava et al. 2014, "Dropout"; Glorot and Bengio 2010 (first weights); Kingma and Ba 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((64,), dropout=0.2, max_iter=1000, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> model.masks(step=0, samples=[0, 1])[1].shape
    (2, 64)
    """

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str = "relu"
    _: KW_ONLY
    class_weight: ClassWeight = None

    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        eval_set: EvalSet = None,
    ) -> MLPClassifier:
        """Train.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)
            Finite numbers.
        y : array, shape (n_samples,) or (n_samples, n_classes)
            Labels, or an indicator matrix.
        sample_weight : array, shape (n_samples,), optional
            At least 0.
        eval_set : (X, y), optional
            Held-out rows: they are measured after each epoch, and early stopping watches them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not as above.
        """
        self._fit(X, y, sample_weight, eval_set)
        return self

    @available_if(takes_steps)
    def partial_fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        classes: VectorLike = None,
    ) -> MLPClassifier:
        """Train for one epoch on these rows, going on from the last call.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`; `y` need not hold all classes.
        classes : array, shape (n_classes,), optional
            All labels of all calls; needed in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not as above, or with early stopping.
        """
        if not hasattr(self, "_labels") and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        y = sparse.own_rows("y", y)
        if classes is not None:
            self._meet(y, np.unique(classes))
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def _meet(self, y: TargetLike, classes: Array) -> None:
        """Take the classes of all calls to partial_fit, which one of them gives."""
        if not hasattr(self, "_labels"):
            self._learn(Labels.of(y, classes))
        elif not np.array_equal(self.classes_, classes):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )

    def _learn(self, labels: Labels) -> None:
        self._labels, self.classes_ = labels, labels.classes
        self.n_outputs_ = self.head_.width

    @property
    def head_(self) -> ClassHead:
        """The head that makes classes and probabilities of the network's outputs."""
        check_learned(self, "_labels")
        return ClassHead(*self._labels)

    def _read_targets(self, y: TargetLike, *, first: bool, incremental: bool) -> Array:
        y = one_column(y)
        if not hasattr(self, "_labels") or not (self.warm_start or incremental):
            self._learn(Labels.of(y))
        elif self.warm_start and not incremental and set(np.unique(y)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {np.unique(y)}"
            )
        return self.head_.targets(y)

    def _class_weights(self, y: TargetLike, incremental: bool) -> Array | None:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight must be a dict of weights in partial_fit, which sees a part of the "
                "rows only, got 'balanced'"
            )
        return compute_sample_weight(self.class_weight, one_column(y))

    def _guesses_of(self, X: MatrixLike) -> Array:
        """The labels from raw outputs, as in scikit-learn."""
        outputs = self._outputs(X)
        return self.head_.labels(outputs)

    def predict_proba(self, X: MatrixLike) -> Array:
        """The probability of each class, dropout off.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples, n_classes)
            Columns in the order of `classes_`; with several labels at once rows don't sum to 1.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted.
        """
        outputs = self._outputs(X)
        return self.head_.predict(outputs)


def check_labels(classifier: MLPClassifier) -> None:
    """ValueError if a classifier from a file has other labels than outputs."""
    labels = classifier._labels
    fits = (
        isinstance(labels, Labels)
        and labels.kind in get_args(TargetType)
        and isinstance(labels.classes, np.ndarray)
        and labels.classes.ndim == 1
        and (labels.kind != "binary" or len(labels.classes) in (1, 2))
        and np.array_equal(labels.classes, classifier.classes_)
        and classifier.head_.width == classifier.n_outputs_
    )
    if not fits:
        raise ValueError("the labels of a classifier must fit its outputs, got others")
