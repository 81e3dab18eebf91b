"""The uncertainty of an estimator over the plane of its two inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike
from thinnet.displays.axes import ax_or_new
from thinnet.displays.estimators import of_one_label, of_one_number
from thinnet.displays.inputs import (
    beside,
    far_from_training,
    plot_inputs,
)
from thinnet.uncertainty.draws.heads import ClassHead, measure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS: Final = {
    "predictive_entropy": "predictive entropy (nats)",
    "mutual_information": "mutual information (nats)",
    "expected_entropy": "expected entropy (nats)",
    "variation_ratio": "variation ratio (fraction of draws)",
    "std": "standard deviation (units of the target)",
    "epistemic": "epistemic standard deviation (units of the target)",
    "aleatoric": "aleatoric standard deviation (units of the target)",
}
# Okabe and Ito's colours that stand out from white to black, and a shape for each.
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442")
SHAPES: Final = "os^DvPX"


@dataclass
class UncertaintyMap:
    """Uncertainty as an image over two inputs; for classes with the borders between them.

    Parameters
    ----------
    x, y : array, shape (resolution,)
        The inputs along both sides of the grid.
    values : array, shape (resolution, resolution)
        The uncertainty; a row for each of `y`.
    measure : str
    probabilities : array, shape (resolution, resolution, n_classes), or None
        For classes, the mean over the draws.
    data : tuple of arrays, or None
        Inputs of shape (rows, 2), and labels or None, plotted as points.
    names : pair of str
        The names of the inputs.
    dated : pair of bool
        Whether each input is days since 1970.

    Attributes
    ----------
    ax_ : matplotlib axes
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from thinnet import MLPClassifier, UncertaintyMap
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> model = MLPClassifier((30,), dropout=0.3, max_iter=1000, random_state=0).fit(X, y)
    >>> shown = UncertaintyMap.from_estimator(model, X, y, resolution=20)
    >>> shown.values.shape, shown.measure
    ((20, 20), 'predictive_entropy')
    """

    x: Array
    y: Array
    values: Array
    measure: str
    probabilities: Array | None = None
    data: tuple[Array, Array | None] | None = None
    names: tuple[str, str] = ("x0", "x1")
    dated: tuple[bool, ...] = (False, False)
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        measure: str | None = None,
        n_draws: int = 100,
        resolution: int = 100,
        ax: Axes | None = None,
    ) -> UncertaintyMap:
        """Plot a fitted estimator of two inputs, or a pipeline that ends in one.

        Parameters
        ----------
        estimator : classifier of one label, or regressor of one number
        X : array or frame, shape (rows, 2)
            Plotted as points; the map is their range, widened by a quarter of it on each side.
        y : array, shape (rows,), optional
            Labels, which give the points their colours and shapes.
        measure : str, optional
            For classes 'predictive_entropy' (the default), 'mutual_information',
            'variation_ratio' or 'expected_entropy'; for numbers 'std' (the default), 'epistemic'
            or 'aleatoric'.
        n_draws : int, default=100
            At least 2.
        resolution : int, default=100
            Points along each side of the map, at least 2.
        ax : matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If X has another width, nothing draws, or a setting is not as above.
        """
        given = plot_inputs(estimator, X, width=2)
        classes = isinstance(given.last.head_, ClassHead)
        (of_one_label if classes else of_one_number)(given.last)
        measure = measure_of(given.last.head_, measure)
        n = checks.integer("resolution", resolution, 2)
        x, y_axis = np.linspace(*given.span(0), n), np.linspace(*given.span(1), n)
        plane = np.stack(np.meshgrid(x, y_axis), axis=-1).reshape(-1, 2)
        with far_from_training():
            found = given.last.uncertainty(given.rows(plane), n_draws)
        return cls(
            x=x,
            y=y_axis,
            values=getattr(found, measure).reshape(n, n),
            measure=measure,
            probabilities=found.probabilities.reshape(n, n, -1) if classes else None,
            data=(given.X, beside(y, len(given.X))),
            names=(given.names[0], given.names[1]),
            dated=given.dated,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> UncertaintyMap:
        """Plot on an axes of yours, or on a new one."""
        from thinnet.displays import ticks

        self.ax_, self.figure_ = ax_or_new(ax, (6.5, 5))
        # Greys leave the colours to the classes.
        colours = "cividis" if self.probabilities is None else "Greys"
        image = self.ax_.pcolormesh(
            self.x, self.y, self.values, cmap=colours, vmin=0, shading="nearest", rasterized=True
        )
        bar = self.figure_.colorbar(image, ax=self.ax_, label=WORDS[self.measure])
        ticks.readable(bar.ax.yaxis)
        if self.probabilities is not None:
            borders(self.ax_, self.x, self.y, self.probabilities)
        if self.data is not None:
            self._points(*self.data)
        ends = {"xlim": (self.x[0], self.x[-1]), "ylim": (self.y[0], self.y[-1])}
        self.ax_.set(xlabel=self.names[0], ylabel=self.names[1], **ends)
        for axis, dated in zip((self.ax_.xaxis, self.ax_.yaxis), self.dated, strict=True):
            ticks.readable(axis, dated=dated)
        return self

    def _points(self, X: Array, labels: Array | None) -> None:
        known = None if self.probabilities is None else labels
        points(self.ax_, X, known)
        self.ax_.legend(title=None if known is None else "class", framealpha=0.9)


def borders(ax: Axes, x: Array, y: Array, p: Array) -> None:
    """Plot lines where a class is as probable as the most probable of the others."""
    for k in range(p.shape[-1]):
        lead = p[..., k] - np.delete(p, k, axis=-1).max(axis=-1)
        if lead.min() < 0 < lead.max():
            # White beside black shows on every grey.
            ax.contour(x, y, lead, [0.0], colors="white", linewidths=3)
            ax.contour(x, y, lead, [0.0], colors="black", linewidths=1.2)


def points(ax: Axes, X: Array, labels: Array | None) -> None:
    """Plot rows as points, each class in a colour and a shape of its own."""
    look: dict[str, Any] = {"s": 18, "edgecolors": "white", "linewidths": 0.6, "zorder": 3}
    if labels is None:
        ax.scatter(*X.T, color="black", label="rows", **look)
        return
    for k, label in enumerate(np.unique(labels)):
        place = k % len(COLOURS)
        look |= {"color": COLOURS[place], "marker": SHAPES[place], "label": str(label)}
        ax.scatter(*X[labels == label].T, **look)
