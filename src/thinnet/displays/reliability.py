"""Confidence against accuracy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from thinnet.arrays import FittedEstimator, MatrixLike, TargetLike, VectorLike
from thinnet.displays.axes import BAR, BLUE, ax_or_new
from thinnet.uncertainty.binning import Reliability, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class ReliabilityDiagram:
    """The accuracy of predictions against their confidence; rows per bin on top.

    Bars below the diagonal show overconfidence, bars above it underconfidence.

    Parameters
    ----------
    curve : Reliability
        The result of `thinnet.uncertainty.reliability`.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes of the diagram, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from thinnet.displays.reliability import ReliabilityDiagram
    >>> X, y = load_digits(return_X_y=True)
    >>> model = GaussianNB().fit(X[:900], y[:900])
    >>> shown = ReliabilityDiagram.from_estimator(model, X[900:], y[900:])
    >>> shown.ax_.get_xlabel(), shown.ax_.get_ylabel()
    ('confidence', 'accuracy')
    """

    curve: Reliability
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        n_bins: int = 15,
        strategy: str = "uniform",
        sample_weight: VectorLike | None = None,
        ax: Axes | None = None,
    ) -> ReliabilityDiagram:
        """Plot a fitted classifier's `predict_proba` on rows that it was not trained on.

        Parameters
        ----------
        estimator : classifier
        X, y
            Rows and their labels.
        n_bins, strategy, sample_weight
            As for `thinnet.uncertainty.reliability`.
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `y` doesn't fit the estimator, or a setting is out of its range.
        """
        proba = estimator.predict_proba(X)
        return cls.from_predictions(
            y, proba, n_bins=n_bins, strategy=strategy, labels=estimator.classes_,
            sample_weight=sample_weight, ax=ax,
        )  # fmt: skip

    @classmethod
    def from_predictions(
        cls,
        y: TargetLike,
        proba: MatrixLike,
        *,
        n_bins: int = 15,
        strategy: str = "uniform",
        labels: VectorLike | None = None,
        sample_weight: VectorLike | None = None,
        ax: Axes | None = None,
    ) -> ReliabilityDiagram:
        """Plot probabilities of shape (rows, classes).

        Parameters
        ----------
        y : array-like of shape (rows,)
        proba : array-like of shape (rows, classes)
        n_bins, strategy, labels, sample_weight
            As for `thinnet.uncertainty.reliability`.
        ax : matplotlib axes, optional

        Raises
        ------
        ValueError
            If `y` and `proba` don't fit each other, or a setting is out of its range.
        """
        curve = reliability(
            y, proba, n_bins=n_bins, strategy=strategy, labels=labels, sample_weight=sample_weight
        )
        return cls(curve).plot(ax)

    def plot(self, ax: Axes | None = None) -> ReliabilityDiagram:
        """Plot on an axes of yours, or on a new one."""
        self.ax_, self.figure_ = ax_or_new(ax, (5, 5.5))
        curve, error = self.curve, self.curve.fraction @ self.curve.gaps
        full = curve.rows > 0
        low, width = curve.edges[:-1], np.diff(curve.edges)
        bars = {"color": BLUE, "alpha": 0.7, "label": f"ECE = {error:.3f}", **BAR}
        self.ax_.bar(low[full], curve.accuracy[full], width[full], **bars)
        self.ax_.plot(
            curve.confidence[full],
            curve.accuracy[full],
            "o",
            color="black",
            ms=3,
            clip_on=False,
            label="mean confidence, accuracy",
        )
        self.ax_.plot([0, 1], [0, 1], "--", color="0.5", label="calibrated")
        # No prediction has less confidence than one in the number of classes.
        least = np.floor(10 * low[full].min(initial=1.0)) / 10
        self.ax_.set(xlabel="confidence", ylabel="accuracy", xlim=(least, 1), ylim=(0, 1))
        self.ax_.legend(loc="upper left")
        self._rows(low, width)
        return self

    def _rows(self, low: Any, width: Any) -> None:
        top = self.ax_.inset_axes((0, 1.03, 1, 0.2), sharex=self.ax_)
        top.bar(low, self.curve.rows, width, color="0.7", **BAR)
        top.tick_params(labelbottom=False)
        top.set(ylabel="rows")
