"""Sets of classes that hold the true one with a stated probability."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool
from sklearn.base import BaseEstimator, ClassifierMixin

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, Float, MatrixLike, TargetLike
from thinnet.uncertainty.calibrating import (
    PredictsAsWrapped,
    calibration_classes,
    check_calibrated,
    predicted,
)
from thinnet.uncertainty.conformal import confidence, crepes


def least_ambiguous(p: Float[Array, "rows classes"]) -> Float[Array, "rows classes"]:
    """One minus the probability of each class."""
    return 1 - p


def adaptive(p: Float[Array, "rows classes"]) -> Float[Array, "rows classes"]:
    """The summed probability of each class and all more probable ones."""
    order = np.argsort(-p, axis=1, kind="stable")
    ascending = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1)
    ascending = np.minimum(ascending, 1.0)  # what is above is rounding
    sums = np.empty_like(p)
    np.put_along_axis(sums, order, ascending, axis=1)
    return sums


SCORES: Final = {"lac": least_ambiguous, "aps": adaptive}


class SplitConformalClassifier(PredictsAsWrapped, ClassifierMixin, BaseEstimator):
    """A fitted classifier with sets of classes, from its scores on rows held out.

    If calibration rows and new rows are exchangeable, a set holds the true class with
    probability ``coverage`` to ``coverage + 1 / (rows + 1)`` (no equal scores), whatever the
    classifier is; on average over all rows, not for each class.

    Parameters
    ----------
    estimator : classifier
        A fitted classifier with `predict` and `predict_proba`; it is not fitted again.  (`clone`
        makes an unfitted copy of it, unless it is wrapped in scikit-learn's `FrozenEstimator`.)
    method : {"lac", "aps"}
        "lac" takes all classes above one probability: the smallest sets on average, some of
        them empty.  "aps" takes the most probable classes until their sum reaches a level: larger
        sets, whose coverage differs less between easy and hard rows.  The last class is not
        randomised as in the paper, so sets are a little larger, but the same each time.

    Attributes
    ----------
    scores_ : array of shape (calibration rows,)
        The scores of the true classes; a larger score is stranger.
    classes_ : array of shape (classes,)

    References
    ----------
    LAC: Sadinle, Lei, Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error
    levels".  APS: Romano, Sesia, Candès 2020, "Classification with valid and adaptive coverage".

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GaussianNB().fit(X[::3], y[::3])
    >>> conformal = SplitConformalClassifier(model).calibrate(X[1::3], y[1::3])
    >>> conformal.predict_set(X[[2, 77]], coverage=0.98)
    array([[ True, False, False],
           [False,  True,  True]])
    """

    def __init__(self, estimator: FittedEstimator, *, method: str = "lac") -> None:
        self.estimator = estimator
        self.method = method

    def calibrate(self, X: MatrixLike, y: TargetLike) -> SplitConformalClassifier:
        """Keep the scores of rows that the classifier was not trained on.

        Parameters
        ----------
        X : array-like of shape (rows, ...)
            Rows as the classifier takes them.
        y : array-like of shape (rows,)
            Labels of at least two of the classes.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If the method is unknown, or `y` is empty, of another length, or holds one class only
            or unknown labels.
        """
        scores = class_scores(self, X)
        places = calibration_classes(y, self.estimator.classes_, len(scores))
        self.scores_ = scores[np.arange(len(scores)), places]
        self.classes_ = self.estimator.classes_
        return self

    fit = calibrate  # the name that scikit-learn's tools call, as in its CalibratedClassifierCV

    def predict_set(self, X: MatrixLike, coverage: float = 0.9) -> Bool[Array, "rows classes"]:
        """The set of classes of each row, as booleans.

        Parameters
        ----------
        X : array-like of shape (rows, ...)
        coverage : float in (0, 1)
            The probability that a set holds the true class; it needs at least
            ``coverage / (1 - coverage)`` calibration rows.

        Returns
        -------
        bool array of shape (rows, classes)
            A column for each of `classes_`.

        Raises
        ------
        NotFittedError
            Before calibrate.
        ValueError
            If the coverage is out of its range, or there were too few calibration rows.
        """
        check_calibrated(self)
        level = confidence(checks.inside("coverage", coverage), len(self.scores_))
        fitted = crepes().ConformalClassifier().fit(self.scores_)
        # Smoothing would randomise the sets with NumPy's global generator.
        return fitted.predict_set(class_scores(self, X), confidence=level, smoothing=False).astype(
            bool
        )


def class_scores(wrapper: SplitConformalClassifier, X: MatrixLike) -> Float[Array, "rows classes"]:
    """The score of each class in each row, by the wrapper's method."""
    score = SCORES[checks.one_of("method", wrapper.method, tuple(SCORES))]
    return score(predicted(wrapper.estimator, X))
