"""What a table's model predicts on average where one column has this value or that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, TableLike
from thinnet.displays.axes import BLUE, LONGEST, ax_or_new, shortened
from thinnet.tables.dependence import (
    COVERAGE,
    N_DRAWS,
    N_POINTS,
    SOME_ROWS,
    Question,
    dependence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class PartialDependence:
    """The mean prediction over rows that all get the same cell in one column, for several cells.

    The band is the spread of the draws' means: what more data would remove.  A mean over rows
    hides what depends on other columns too, and where columns are related it asks about rows that
    can't be.

    Parameters
    ----------
    name : str
        The column.
    x : array, shape (points,)
        Its numbers, its dates as days since 1970, or its labels, the most frequent one first.
    mean : array, shape (points,)
        The mean prediction, dropout off.
    band : array, shape (points, 2), or None
        The lower and upper ends of the draws' means; None if nothing draws.
    coverage : float
        The fraction of the draws inside the band at each point, in (0, 1).
    kind : {'number', 'date', 'category'}
        The column's kind.
    predicted : str
        What is predicted: the target, or the probability of a class.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Friedman 2001, "Greedy function approximation: a gradient boosting machine", section 8.2.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from thinnet import PartialDependence, TableRegressor
    >>> table = pd.DataFrame({"x": np.linspace(-1, 1, 200), "sign": ["plus", "minus"] * 100})
    >>> model = TableRegressor(random_state=0).fit(table, table["x"] ** 2)
    >>> shown = PartialDependence.from_estimator(model, table, "x")
    >>> bool(shown.mean[0] > shown.mean[10] < shown.mean[-1]), shown.band.shape
    (True, (20, 2))
    """

    name: str
    x: Array
    mean: Array
    band: Array | None
    coverage: float
    kind: str
    predicted: str
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: TableLike,
        column: str,
        *,
        target: bool | float | str | None = None,
        grid_resolution: int = N_POINTS,
        subsample: int | None = SOME_ROWS,
        n_draws: int = N_DRAWS,
        ax: Axes | None = None,
    ) -> PartialDependence:
        """Plot one column of a fitted `TableClassifier` or `TableRegressor`.

        Parameters
        ----------
        estimator : TableClassifier or TableRegressor
            A regressor must have one output.
        X : path, data frame or array, shape (rows, columns)
            As for `predict`.
        column : str
            A column of numbers, dates or categories that the networks learned from.
        target : label, optional
            The class whose probability is shown; by default the last of two, and of more it must be
            given.  For numbers it is left out.
        grid_resolution : int, default=20
            At most so many points, at least 2: all values if there are no more, or else quantiles
            from 5 to 95 %; the most frequent ones of labels.
        subsample : int or None, default=300
            At most so many rows, at least 1, are asked about, chosen by a fixed seed; None for all.
        n_draws : int, default=50
            At least 2.  A band has 90 % of them at each point.
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If there is no such column or it has no value, or a setting is not as above.
        """
        checks.integer("grid_resolution", grid_resolution, 2)
        checks.integer("n_draws", n_draws, 2)
        if subsample is not None:
            checks.integer("subsample", subsample, 1)
        question = Question(column, target, grid_resolution, subsample, n_draws)
        found = dependence(estimator, X, question)
        return cls(
            found.column.name,
            found.x,
            found.mean,
            found.band,
            COVERAGE,
            found.column.kind,
            found.predicted,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> PartialDependence:
        """Plot on an axes of yours, or on a new one."""
        from thinnet.displays import ticks

        self.ax_, self.figure_ = ax_or_new(ax, (5, 3.6))
        if self.kind == "category":
            self._bars()
        else:
            self._curve()
        self.ax_.set(xlabel=self.name, ylabel=self.predicted)
        ticks.readable(self.ax_.yaxis)
        return self

    def _curve(self) -> None:
        from thinnet.displays import ticks

        if self.band is not None:
            whole: dict[str, Any] = {"color": BLUE, "alpha": 0.25, "linewidth": 0}
            self.ax_.fill_between(self.x, *self.band.T, label=self._of_draws(), **whole)
        self.ax_.plot(self.x, self.mean, color=BLUE, linewidth=2, marker=".", label="mean")
        below = self.ax_.get_xaxis_transform()
        self.ax_.plot(self.x, np.zeros(len(self.x)), "|", color="0.3", ms=9, transform=below)
        ticks.readable(self.ax_.xaxis, dated=self.kind == "date")

    def _bars(self) -> None:
        places, reach = np.arange(len(self.x)), None
        if self.band is not None:
            reach = np.maximum([self.mean - self.band[:, 0], self.band[:, 1] - self.mean], 0)
        self.ax_.bar(places, self.mean, color=BLUE, alpha=0.6, yerr=reach, capsize=3)
        names = [shortened(str(label)) for label in self.x]
        upright = sum(map(len, names)) > LONGEST
        self.ax_.set_xticks(places, names, rotation=90 if upright else 0)

    def _of_draws(self) -> str:
        return f"{100 * self.coverage:g} % of the draws"
