"""A number predicted from one input, with its error bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike, VectorLike
from thinnet.displays.axes import BLUE, ax_or_new
from thinnet.displays.estimators import of_one_number
from thinnet.displays.inputs import beside, days, far_from_training, plot_inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS: Final = 300


@dataclass
class PredictiveBand:
    """Mean, predictive band and, inside it, the band of the epistemic part.

    The outer band holds new targets; the inner one holds the draws' functions, which more data
    would bring together.  The difference is noise.

    Parameters
    ----------
    x, mean : array, shape (points,)
        The inputs, and the mean over the draws.
    band, epistemic : array, shape (points, 2)
        The lower and upper ends, for new targets and for the draws.
    coverage : float
        The nominal coverage of both, in (0, 1).
    lines : array, shape (n_lines, points)
        Some draws, each the function of one thinned network.
    data : pair of arrays, shape (rows,), or None
        Inputs and targets.
    name : str
        The name of the input.
    dated : bool
        Whether inputs are days since 1970.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import MLPRegressor, PredictiveBand
    >>> x = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> model = MLPRegressor(hidden_layer_sizes=(20,), dropout=0.1, max_iter=2000, random_state=0)
    >>> shown = PredictiveBand.from_estimator(model.fit(x, x[:, 0] ** 2), x, x[:, 0] ** 2)
    >>> shown.x.min(), shown.x.max(), shown.band.shape
    (np.float64(-1.5), np.float64(1.5), (300, 2))
    """

    x: Array
    mean: Array
    band: Array
    epistemic: Array
    coverage: float
    lines: Array
    data: tuple[Array, Array] | None = None
    name: str = "x"
    dated: bool = False
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        coverage: float = 0.9,
        n_draws: int = 100,
        n_lines: int = 0,
        grid: VectorLike = None,
        ax: Axes | None = None,
    ) -> PredictiveBand:
        """Plot a fitted regressor of one number, or a pipeline that ends in one.

        Parameters
        ----------
        estimator : regressor
        X : array or frame, shape (rows, 1)
            Numbers; a frame may hold dates.
        y : array, shape (rows,), optional
            Targets, plotted as points.
        coverage : float, default=0.9
            The coverage of both bands, in (0, 1).
        n_draws : int, default=100
            At least 2.
        n_lines : int, default=0
            The number of draws to show as lines, at most `n_draws`; for an ensemble without
            dropout at most its number of networks.
        grid : array, shape (points,), optional
            Inputs; by default 300 over the range of X, widened by a quarter of it on each side.
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If X has another width, nothing draws, or a setting is not as above.
        """
        given = plot_inputs(estimator, X, width=1)
        of_one_number(given.last)
        checks.integer("n_lines", n_lines, 0, checks.integer("n_draws", n_draws, 2))
        x = np.linspace(*given.span(0), POINTS) if grid is None else _inputs(grid)
        rows, targets = given.rows(x[:, None]), beside(y, len(given.X))
        outside = (1 - checks.inside("coverage", coverage)) / 2
        with far_from_training():
            band = given.last.predict_interval(rows, coverage, n_draws=n_draws)
            found = given.last.uncertainty(rows, n_draws)
            draws = given.last.sample(rows, int(found.n_draws[0]))[..., 0]
        return cls(
            x=x,
            mean=found.mean,
            band=band,
            epistemic=np.quantile(draws, (outside, 1 - outside), axis=0).T,
            coverage=coverage,
            lines=draws[:n_lines],
            data=None if targets is None else (given.X[:, 0], targets),
            name=given.names[0],
            dated=given.dated[0],
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> PredictiveBand:
        """Plot on an axes of yours, or on a new one."""
        from thinnet.displays import ticks

        self.ax_, self.figure_ = ax_or_new(ax, (7, 4.5))
        per_cent = f"{self.coverage:.4g}" if self.coverage > 0.999 else f"{100 * self.coverage:g} %"
        whole: dict[str, Any] = {"color": BLUE, "alpha": 0.18, "linewidth": 0}
        self.ax_.fill_between(self.x, *self.band.T, label=f"{per_cent} of new targets", **whole)
        inner = whole | {"alpha": 0.4}
        self.ax_.fill_between(self.x, *self.epistemic.T, label=f"{per_cent} of the draws", **inner)
        for i, line in enumerate(self.lines):
            label = "draws" if i == 0 else None
            self.ax_.plot(self.x, line, color="0.25", linewidth=0.6, alpha=0.6, label=label)
        self.ax_.plot(self.x, self.mean, color=BLUE, linewidth=2, label="mean")
        if self.data is not None:
            self.ax_.plot(*self.data, "o", color="black", ms=3, label="data")
        self.ax_.set(xlabel=self.name, ylabel="target", xlim=(self.x.min(), self.x.max()))
        ticks.readable(self.ax_.xaxis, dated=self.dated)
        ticks.readable(self.ax_.yaxis)
        self.ax_.legend(loc="best", framealpha=0.9)
        return self


def _inputs(grid: Any) -> Array:
    numbers = days(grid) if getattr(grid, "dtype", np.dtype(float)).kind == "M" else grid
    x = checks.finite("grid", checks.numeric("grid", numbers)).astype(np.float64)
    checks.must(x.ndim == 1, "grid", "one input a point", x.shape)
    return np.sort(x)
