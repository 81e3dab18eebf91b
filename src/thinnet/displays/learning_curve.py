"""Losses and scores over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thinnet.arrays import FittedEstimator
from thinnet.displays.estimators import fitted
from thinnet.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class LearningCurve:
    """Losses and scores of a fit: with dropout, without it, and on held-out rows.

    Validation can be better than training with dropout on, since the training figures are of
    thinned networks; the curve with dropout off is the one to compare.

    Parameters
    ----------
    history : History

    Attributes
    ----------
    axes_ : pair of matplotlib axes
        The axes of losses and of scores, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import LearningCurve, MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(dropout=0.2, early_stopping=True, random_state=0).fit(X, y)
    >>> shown = LearningCurve.from_estimator(model)
    >>> [axes.get_ylabel() for axes in shown.axes_]
    ['loss', 'accuracy']
    """

    history: History
    axes_: Sequence[Axes] = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls, estimator: FittedEstimator, *, axes: Sequence[Axes] | None = None
    ) -> LearningCurve:
        """Plot the history of a fitted estimator, or of the last step of a pipeline.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `axes` are not two, or it is not an estimator of thinnet, or an ensemble.
        """
        return cls(fitted(estimator, "history_").history_).plot(axes=axes)

    def plot(self, *, axes: Sequence[Axes] | None = None) -> LearningCurve:
        """Plot on two axes of yours, or on new ones."""
        self.axes_ = self.history.plot(axes)
        self.figure_ = self.axes_[0].figure  # type: ignore[assignment]
        return self
