"""Errors by the rate of dropout, and by the number of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.displays.panels import by_name, grid_of, legend_below, plain_or_large, style_of
from thinnet.training.sweeping import Constant, Make, by_rate, by_size, checked_pair, several

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATE: Final = "dropout rate"
ROWS: Final = "training rows"


@dataclass
class RateSweep:
    """Errors, ``1 - score``, by the rate of dropout or by the number of training rows.

    The line is the mean over seeds, the bars reach from the least to the greatest.

    Parameters
    ----------
    x : array, shape (points,)
        Rates, or numbers of rows.
    errors : dict of str to array, shape (points, seeds)
        By the names of curves.
    name : {'dropout rate', 'training rows'}
        What `x` is; with rows both axes are logarithmic, that of errors if none is 0.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting",
    figures 9 and 10.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import MLPClassifier, RateSweep
    >>> X, y = load_iris(return_X_y=True)
    >>> def make(rate, units, seed):
    ...     return MLPClassifier((units,), dropout=rate, tol=0.01, random_state=seed)
    >>> shown = RateSweep.from_training(make, X, y, (X, y), rates=[0, 0.5], units=16)
    >>> shown.errors["test"].shape
    (2, 1)
    """

    x: Array
    errors: dict[str, Array]
    name: str = RATE
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        checks.one_of("name", self.name, (RATE, ROWS))
        self.x = checks.finite("x", checks.numeric("x", self.x))
        self.errors = by_name(self.errors)
        for name, each in self.errors.items():
            values = checks.same_length("errors", checks.numeric("errors", each), "x", len(self.x))
            self.errors[name] = values.reshape(len(self.x), -1)

    @classmethod
    def from_training(
        cls,
        make: Make,
        X: MatrixLike,
        y: TargetLike,
        test: tuple[MatrixLike, TargetLike],
        *,
        rates: Sequence[float],
        units: int,
        constant: Constant = "n",
        seeds: Sequence[int] = (0,),
    ) -> RateSweep:
        """Fit an estimator for each rate, and plot its errors on training and test rows.

        Parameters
        ----------
        make : callable
            ``make(rate, units, seed)`` returns an estimator that is not fitted.
        X, y
            What it is fitted to.
        test : (X, y)
            Rows held out.
        rates : sequence of float
            Each in [0, 1).
        units : int
            At least 1: the n units of a hidden layer, or with ``constant="pn"`` those that are
            kept on average, of which there are ``units / (1 - rate)``.
        constant : {'n', 'pn'}
            What all rates have in common (the two halves of figure 9).
        seeds : sequence of int
            A fit for each.

        Raises
        ------
        ValueError
            If a setting is not as above, or the estimator refuses the data.
        """
        rows, rates = checked_pair("X, y", (X, y)), several("rates", rates)
        found = by_rate(make, rows, test, rates, units, constant, seeds)
        return cls(np.array(rates), {"test": found.test, "training": found.training}).plot()

    @classmethod
    def from_sizes(
        cls,
        make: Make,
        X: MatrixLike,
        y: TargetLike,
        test: tuple[MatrixLike, TargetLike],
        *,
        sizes: Sequence[int],
        units: int,
        rates: Sequence[float] = (0.0, 0.5),
        seeds: Sequence[int] = (0,),
    ) -> RateSweep:
        """Fit an estimator to fewer and more rows, and plot its test errors, a curve for each rate.

        Parameters
        ----------
        make, X, y, test, units, seeds
            As in `from_training`.  A seed gives the order of the rows too, of which the first are
            taken.
        sizes : sequence of int
            Numbers of rows, each from 1 to the length of `X`.
        rates : sequence of float
            Each in [0, 1).

        Raises
        ------
        ValueError
            If a setting is not as above, or the estimator refuses the data.
        """
        rows, errors = checked_pair("X, y", (X, y)), {}
        sizes, seeds = several("sizes", sizes), several("seeds", seeds)
        for rate in several("rates", rates):
            name = f"dropout {rate:g}" if rate else "without dropout"
            errors[name] = by_size(make, rows, test, sizes, rate, units, seeds).test
        return cls(np.array(sizes), errors, ROWS).plot()

    def plot(self, ax: Axes | None = None) -> RateSweep:
        """Plot on an axes of yours, or on a new one."""
        with plain_or_large(ax):
            axes = grid_of(ax if ax is None else [ax], 1, 1, 4.0)
            self.ax_, self.figure_ = axes[0, 0], axes[0, 0].figure
            lines = [self._curve(*each) for each in enumerate(self.errors.values())]
            self.ax_.set(xlabel=self.name, ylabel="error (1 \N{MINUS SIGN} score)")
            self._scale()
            if list(self.errors) != [""]:
                legend_below(self.figure_, lines, list(self.errors), 2)
        return self

    def _curve(self, place: int, errors: Array) -> Any:
        mean, style = errors.mean(axis=1), style_of(place)
        reach = [mean - errors.min(axis=1), errors.max(axis=1) - mean]
        (line,) = self.ax_.plot(self.x, mean, **style)
        if errors.shape[1] > 1:
            bars: dict[str, Any] = {"fmt": "none", "ecolor": style["color"], "elinewidth": 1.2}
            self.ax_.errorbar(self.x, mean, np.maximum(reach, 0), capsize=3, **bars)
        return line

    def _scale(self) -> None:
        from thinnet.displays import ticks

        if self.name == RATE:
            ticks.readable(self.ax_.xaxis)
        else:
            self.ax_.set_xscale("log")
            ticks.logarithmic(self.ax_.xaxis)
        values = list(self.errors.values())
        if self.name == ROWS and min(float(each.min()) for each in values) > 0:
            ticks.sizes(self.ax_.yaxis, values)
        else:
            self.ax_.set_ylim(0, None)
            ticks.readable(self.ax_.yaxis)
