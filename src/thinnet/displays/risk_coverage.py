"""The error that is left if the least certain rows are not answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike, VectorLike
from thinnet.displays.axes import BLUE, ORANGE, ax_or_new
from thinnet.displays.estimators import fitted_and_before
from thinnet.uncertainty.draws.heads import measure_of
from thinnet.uncertainty.forecasts import one_number_a_row
from thinnet.uncertainty.selection import (
    RiskCoverage,
    area_under_risk_coverage,
    risk_coverage,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class RiskCoverageCurve:
    """Mean error of the most certain rows, against the fraction of rows that are answered.

    It lies between two lines: answering at random, and the best ranking, which is by the errors.

    Parameters
    ----------
    curve, best : RiskCoverage
        The curve by the uncertainties, and the one by the errors in their place.
    area : float
        The area under `curve`.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from thinnet.displays.risk_coverage import RiskCoverageCurve
    >>> shown = RiskCoverageCurve.from_predictions([0, 0, 1, 0], [0.1, 0.2, 0.9, 0.4])
    >>> shown.curve.risk
    array([0.  , 0.  , 0.  , 0.25])
    """

    curve: RiskCoverage
    best: RiskCoverage
    area: float
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike,
        *,
        measure: str | None = None,
        ax: Axes | None = None,
    ) -> RiskCoverageCurve:
        """Plot a fitted estimator on rows that it was not trained on.

        A classifier's error is 1 for a wrong class, its uncertainty 1 minus the largest
        probability; a regressor's error is the squared error, its uncertainty the standard
        deviation from ``predict(X, return_std=True)``.

        Parameters
        ----------
        estimator : classifier or regressor
        X, y
            Rows, and their labels or numbers.
        measure : str, optional
            A field of ``estimator.uncertainty(X)`` to take instead: for classes
            'predictive_entropy', 'mutual_information', 'variation_ratio' or 'expected_entropy';
            for numbers 'std', 'epistemic' or 'aleatoric'.
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `y` doesn't fit the predictions, or the estimator doesn't have the measure.
        """
        if measure is None:
            error, unsure = errors_and_uncertainties(estimator, X, y)
            return cls.from_predictions(error, unsure, ax=ax)
        last, before = fitted_and_before(estimator)
        measure_of(last.head_, measure)
        error, _ = errors_and_uncertainties(estimator, X, y)
        unsure = getattr(last.uncertainty(before(X)), measure)
        return cls.from_predictions(error, unsure, ax=ax)

    @classmethod
    def from_predictions(
        cls, error: VectorLike, uncertainty: VectorLike, *, ax: Axes | None = None
    ) -> RiskCoverageCurve:
        """Plot errors and uncertainties, both of shape (rows,).

        Raises
        ------
        ValueError
            If the shapes differ, or something is not finite.
        """
        curve = risk_coverage(error, uncertainty)
        best = risk_coverage(error, np.argsort(np.argsort(error)))
        return cls(curve, best, area_under_risk_coverage(error, uncertainty)).plot(ax)

    def plot(self, ax: Axes | None = None) -> RiskCoverageCurve:
        """Plot on an axes of yours, or on a new one."""
        from thinnet.displays import ticks

        self.ax_, self.figure_ = ax_or_new(ax, (6, 4))
        overall = float(self.curve.risk[-1])
        self._line(self.curve, "-", BLUE, f"by uncertainty, area {ticks.short(self.area)}")
        at_random = f"at random, {ticks.short(overall)}"
        self.ax_.plot([0, 1], [overall] * 2, "--", color="0.5", label=at_random)
        self._line(self.best, ":", ORANGE, "by the errors themselves")
        answered = "coverage: fraction of the rows that are answered, surest first"
        self.ax_.set(xlabel=answered, ylabel="risk", xlim=(0, 1))
        ticks.readable(self.ax_.yaxis)
        ticks.legend(self.ax_, ncols=2)
        return self

    def _line(self, curve: RiskCoverage, style: str, colour: str, label: str) -> None:
        # A step function, as in the area: rows of equal uncertainty are answered together.
        coverage, risk = np.append(0.0, curve.coverage), np.append(curve.risk[0], curve.risk)
        self.ax_.plot(coverage, risk, style, color=colour, label=label, drawstyle="steps-pre")


def errors_and_uncertainties(estimator: Any, X: MatrixLike, y: TargetLike) -> tuple[Array, Array]:
    from sklearn.base import is_classifier

    truth = checks.array("y", y)
    if is_classifier(estimator):
        classes, unsure = estimator.predict(X), 1 - np.max(estimator.predict_proba(X), axis=1)
        return checks.same_length("y", truth, "X", len(classes)) != classes, unsure
    mean, std = estimator.predict(X, return_std=True)
    checks.same_length("y", one_number_a_row("y", truth), "X", len(mean))
    return (mean - truth) ** 2, std
