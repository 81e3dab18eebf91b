"""A deep ensemble for classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thinnet.arrays import (
    Array,
    EvalSet,
    MatrixLike,
    TargetLike,
    VectorLike,
)
from thinnet.estimators.base import MLP
from thinnet.estimators.classifier import MLPClassifier
from thinnet.estimators.ensembles import FITTED, PARAMETERS, Ensemble
from thinnet.estimators.labels import MultilabelClassifierMixin
from thinnet.estimators.members import EnsembleData, mean_of
from thinnet.estimators.predicting import PredictsClasses
from thinnet.uncertainty.draws.heads import ClassHead, check_learned


@dataclass(eq=False, repr=False)
class EnsembleClassifier(MultilabelClassifierMixin, Ensemble, PredictsClasses):
    __doc__ = f"""Several MLPClassifiers: their mean predicts, their spread is the uncertainty.

    Without dropout the networks are the draws of `sample_proba` and `uncertainty`; with it the
    draws take turns over the networks, each with masks of its own.

    Parameters
    ----------
    estimator : MLPClassifier or None, default=None
        The estimator that is cloned for each network; None is one with its defaults.
    {PARAMETERS}

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
    Lakshminarayanan, Pritzel and Blundell 2017, "Simple and scalable predictive uncertainty
    estimation using deep ensembles".

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import EnsembleClassifier, MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = EnsembleClassifier(MLPClassifier(max_iter=1000), random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    kind: ClassVar[type[MLP]] = MLPClassifier

    estimator: MLPClassifier | None = None
    n_networks: int = 5

    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        eval_set: EvalSet = None,
    ) -> EnsembleClassifier:
        """Train all networks.

        Parameters
        ----------
        X, y, sample_weight
            As for `MLPClassifier.fit`.
        eval_set : (X, y), optional
            Held-out rows, which each network measures, and early stopping watches.

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

    def _learn(self, rows: EnsembleData, times: list[Array] | None) -> None:
        self.classes_ = self.estimators_[0].classes_

    @property
    def head_(self) -> ClassHead:
        """The head that makes classes and probabilities of the networks' outputs."""
        check_learned(self, "estimators_")
        head: ClassHead = self.estimators_[0].head_
        return head

    def predict_proba(self, X: MatrixLike) -> Array:
        """The mean over the networks of the probability of each class, dropout off.

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
        X = self._entering(X)
        return mean_of([member.predict_proba(X) for member in self.estimators_])
