"""The histogram of numbers' places in their predictive distributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike, VectorLike
from thinnet.displays.axes import BAR, BLUE, ax_or_new
from thinnet.displays.estimators import last_and_before
from thinnet.uncertainty.forecasts import one_number_a_row
from thinnet.uncertainty.predictive import PITCounts, pit, pit_histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class PITHistogram:
    """Counts of PIT values, which are level if the forecasts are calibrated.

    They are U-shaped if the distributions are too narrow, a hump if too wide, a slope if biased.
    The band holds one bin's count with 95 % probability; one of twenty is outside by chance.

    Parameters
    ----------
    counts : PITCounts
        The result of `thinnet.uncertainty.predictive.pit_histogram`.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from thinnet.displays.pit import PITHistogram
    >>> rng = np.random.default_rng(0)
    >>> shown = PITHistogram.from_predictions(rng.normal(size=500), rng.normal(size=(99, 500)))
    >>> shown.counts.rows.sum(), len(shown.ax_.patches)
    (np.int64(500), 11)
    """

    counts: PITCounts
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        n_bins: int = 10,
        ax: Axes | None = None,
    ) -> PITHistogram:
        """Plot a fitted regressor of one number, on rows that it was not trained on.

        Parameters
        ----------
        estimator : regressor, or a pipeline that ends in one
            Its method `distribution` is used, which thinnet's regressors have; without it
            ``predict(X, return_std=True)``, whose means and standard deviations (noise included)
            are taken as those of normal distributions.
        X, y
            Rows and their numbers.
        n_bins : int
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `y` doesn't fit the predictions.
        """
        truth = one_number_a_row("y", y)
        return cls.from_values(_below(estimator, X, truth), n_bins=n_bins, ax=ax)

    @classmethod
    def from_predictions(
        cls, y: TargetLike, draws: MatrixLike, *, n_bins: int = 10, ax: Axes | None = None
    ) -> PITHistogram:
        """Plot predictive distributions that are given as draws.

        Parameters
        ----------
        y : array-like of shape (rows,)
        draws : array-like of shape (draws, rows)
            Draws of `y`, its noise included.
        n_bins : int
            Best a divisor of the number of draws plus 1.
        ax : matplotlib axes, optional

        Raises
        ------
        ValueError
            If the shapes don't fit, or `n_bins` is out of its range.
        """
        return cls.from_values(pit(y, draws), n_bins=n_bins, ax=ax)

    @classmethod
    def from_values(
        cls, values: VectorLike, *, n_bins: int = 10, ax: Axes | None = None
    ) -> PITHistogram:
        """Plot PIT values, or values at `y` of predictive cdfs, shape (rows,)."""
        return cls(pit_histogram(values, n_bins=n_bins)).plot(ax)

    def plot(self, ax: Axes | None = None) -> PITHistogram:
        """Plot on an axes of yours, or on a new one."""
        self.ax_, self.figure_ = ax_or_new(ax, (6, 4))
        edges, rows, expected, low, high = self.counts
        from thinnet.displays import ticks

        self.ax_.bar(edges[:-1], rows, np.diff(edges), color=BLUE, **BAR)
        self.ax_.axhspan(low, high, color="0.5", alpha=0.25, label="95 % of a calibrated bin")
        self.ax_.axhline(expected, color="0.2", linestyle="--", label="calibrated")
        top = 1.05 * max(high, rows.max())
        where = "where the observed number fell in its distribution (PIT)"
        self.ax_.set(xlabel=where, ylabel="rows", xlim=(0, 1), ylim=(0, top))
        ticks.readable(self.ax_.yaxis)
        ticks.legend(self.ax_, ncols=2)
        return self


def _below(estimator: Any, X: MatrixLike, y: Array) -> Array:
    """The predicted probability of a target of at most `y`, shape (rows,)."""
    from scipy.stats import norm

    last, before = last_and_before(estimator)
    if hasattr(last, "distribution"):
        return np.asarray(last.distribution(before(X), y))
    mean, std = estimator.predict(X, return_std=True)
    return np.asarray(norm.cdf(checks.same_length("y", y, "X", len(mean)), mean, std))
