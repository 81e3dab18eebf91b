"""What a model predicts over a plane, without and with dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, NetworkLike, TargetLike
from thinnet.displays import models, surfaces
from thinnet.displays.axes import BLUE, ORANGE, SMALL, WIDE, shortened, signed_colours
from thinnet.displays.inputs import beside
from thinnet.displays.maps import COLOURS, borders
from thinnet.displays.models import Model
from thinnet.displays.moments import moving
from thinnet.displays.planes import Plane, plane_of
from thinnet.displays.surfaces import clean_surface, colour_bar, drawn_surface
from thinnet.losses import Loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OF_TWO: Final = ("without dropout", "with dropout")
RESOLUTION: Final = 60


@dataclass
class DecisionSurface:
    """Two surfaces side by side, their difference, and the uncertainty of the second one's draws.

    Of one model the first surface is the prediction with dropout off, and the second the mean of
    its draws: the difference is what weight scaling approximates.  Of two models, one trained
    without dropout and one with it, both are predictions with dropout off.  Points far from the
    rows are predicted as well as any other: nothing was learned there.

    Parameters
    ----------
    x, y : array, shape (points,)
        The inputs along both sides of the plane.
    without, with_dropout : array, shape (points of y, points of x, classes or 1)
        The surfaces: probabilities of classes, or numbers.
    uncertainty : array, shape (points of y, points of x)
        Of classes the entropy of the draws' mean, in nats; of numbers the draws' standard
        deviation.
    titles : pair of str
        What the surfaces are.
    labels : array, shape (classes,), or None
        The classes; None for numbers.
    data : tuple of arrays, or None
        Inputs of shape (rows, 2), and labels or None, plotted as points.
    names : pair of str
        The names of the inputs, shown letter by letter.
    dated : pair of bool
        Whether each input is days since 1970.
    limits : pair of float, optional
        The numbers at the ends of the surfaces' colours; by default the least and greatest.

    Attributes
    ----------
    axes_ : array of four matplotlib axes
        Once it is plotted: both surfaces, the difference, the uncertainty.
    figure_ : matplotlib figure
    at : callable or None
        Of `from_network`, the same picture of another network or moment, as `animate` asks for it.

    References
    ----------
    Srivastava et al. 2014, "Dropout", section 10 (weight scaling); Gal and Ghahramani 2016.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from thinnet import DecisionSurface, MLPClassifier
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> model = MLPClassifier((30,), dropout=0.3, max_iter=1000, random_state=0).fit(X, y)
    >>> shown = DecisionSurface.from_estimator(model, X, y, resolution=20)
    >>> shown.with_dropout.shape, bool((shown.uncertainty <= 0.7).all())
    ((20, 20, 2), True)
    """

    x: Array
    y: Array
    without: Array
    with_dropout: Array
    uncertainty: Array
    titles: tuple[str, str] = OF_TWO
    labels: Array | None = None
    data: tuple[Array, Array | None] | None = None
    names: tuple[str, str] = ("x0", "x1")
    dated: tuple[bool, ...] = (False, False)
    limits: tuple[float, float] | None = None
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    at: Any = field(init=False, repr=False, default=None)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        without: FittedEstimator = None,
        features: Sequence[int | str] | None = None,
        n_draws: int = 100,
        resolution: int = RESOLUTION,
        axes: Sequence[Axes] | None = None,
    ) -> DecisionSurface:
        """Plot a fitted estimator of two inputs, or a pipeline that ends in one.

        Parameters
        ----------
        estimator : classifier of one label, or regressor of one number
            With dropout, or several networks.
        X : array or frame, shape (rows, columns)
            Plotted as points; the plane is the range of two columns, widened by a quarter on each
            side.
        y : array, shape (rows,), optional
            Labels, which give the points their colours and shapes.
        without : fitted estimator, optional
            The same without dropout; by default `estimator` itself with dropout off.
        features : pair of names or places of columns, optional
            The two inputs, where X has more columns; the others have a typical value: the lower
            median of numbers and dates (the median in arrays), the commonest of other cells.
        n_draws : int, default=100
            At least 2.
        resolution : int, default=60
            Points along each side, 2 to 1000.
        axes : four matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If there are no two inputs, nothing draws, `without` drops too or predicts something
            else, or a setting is not as above.
        """
        model = models.of_estimator(estimator)
        plane = plane_of(model.before, X, features, resolution)
        first = None if without is None else models.of_estimator(without)
        points = plane.given.X, beside(y, len(plane.given.X))
        return cls._of(model, first, plane, _no_targets(model, points), n_draws).plot(axes)

    @classmethod
    def from_network(
        cls,
        network: NetworkLike,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        without: NetworkLike = None,
        loss: Loss | None = None,
        features: Sequence[int] | None = None,
        n_draws: int = 100,
        resolution: int = RESOLUTION,
    ) -> DecisionSurface:
        """Plot a network, or a moment of a recording.

        Parameters
        ----------
        network : Network or moment
        X, y, features, n_draws, resolution
            As in `from_estimator`; X holds the network's inputs.
        without : Network or moment, optional
            The same without dropout.
        loss : Loss, optional
            What the outputs mean; by default cross-entropy for integer `y`, or for several outputs
            without `y`, and squared error otherwise.

        Raises
        ------
        ValueError
            As `from_estimator`.
        """
        model = models.of_network(network, y, loss)
        plane = plane_of(model.before, X, features, resolution)
        first = None if without is None else models.of_network(without, y, loss)
        points = plane.given.X, beside(models.labels_of(y), len(plane.given.X))
        shown = cls._of(model, first, plane, _no_targets(model, points), n_draws).plot()
        again = partial(
            cls.from_network, X=X, y=y, without=without, loss=loss, features=features,
            n_draws=n_draws, resolution=resolution,
        )  # fmt: skip
        shown.at = moving(again)
        return shown

    @classmethod
    def _of(
        cls, model: Model, first: Model | None, plane: Plane, points: Any, n_draws: int
    ) -> DecisionSurface:
        checks.integer("n_draws", n_draws, 2)
        drawn = drawn_surface(model, plane, n_draws)
        titles, second = ("dropout off", f"mean of {n_draws} draws"), drawn.mean
        if first is not None:
            _check_pair(first, model)
            titles, second = OF_TWO, clean_surface(model, plane)
        elif not model.drops:  # an ensemble without dropout draws its networks
            titles = ("mean of networks", titles[1])
        names = (plane.given.names[0], plane.given.names[1])
        return cls(
            plane.x, plane.y, clean_surface(first or model, plane), second, drawn.spread,
            titles, model.labels, points, names, plane.given.dated,
        )  # fmt: skip

    @property
    def difference(self) -> Array:
        """What changes from the first surface to the second, shape (points of y, points of x).

        Of two classes the probability of the last one, of more the total variation
        ``sum |p - p'| / 2``, of numbers the number.
        """
        change = self.with_dropout - self.without
        if change.shape[-1] > 2:
            return np.abs(change).sum(axis=-1) / 2
        return change[..., -1]

    def plot(self, axes: Sequence[Axes] | None = None) -> DecisionSurface:
        """Plot on four axes of yours, or on new ones."""
        from matplotlib import pyplot as plt

        grid = axes
        if grid is None:
            _, grid = plt.subplots(
                2, 2, figsize=(WIDE, 7 if self.labels is None else 6.6), layout="constrained"
            )
        self.axes_ = np.asarray(grid, object).ravel()
        checks.must(len(self.axes_) == 4, "axes", "four matplotlib axes", len(self.axes_))
        self.figure_ = self.axes_[0].figure
        self._surfaces()
        self._difference(self.axes_[2])
        self._uncertainty(self.axes_[3])
        titles = (*self.titles, "difference", "uncertainty")
        for place, (ax, title) in enumerate(zip(self.axes_, titles, strict=True)):
            ax.set_title(title, fontsize=SMALL)
            surfaces.names_of_plane(ax, self.names, self.dated)
            if place % 2 and axes is None:
                ax.set_ylabel("")
            if place < 2 and axes is None:
                ax.set_xlabel("")
        return self

    def _surfaces(self) -> None:
        pair = (self.without, self.with_dropout)
        limits = surfaces.shared_limits(*pair) if self.limits is None else self.limits
        for ax, values in zip(self.axes_[:2], pair, strict=True):
            image = surfaces.surface(ax, self.x, self.y, values, limits)
            if self.data is not None:
                surfaces.class_points(ax, *self.data, self.labels)
        if self.labels is None:
            colour_bar(image, list(self.axes_[:2]), "predicted")
        else:
            shaped = self.data is not None and self.data[1] is not None
            surfaces.class_legend(self.figure_, self.labels, shaped=shaped)

    def _difference(self, ax: Any) -> None:
        values = self.difference
        two = (COLOURS[0], COLOURS[1]) if self.labels is not None else (ORANGE, BLUE)
        largest = max(float(np.abs(values).max()), 1e-12)
        look: dict[str, Any] = {"cmap": signed_colours(*two), "vmin": -largest, "vmax": largest}
        name = "change"
        if self.labels is not None and len(self.labels) > 2:
            look, name = {"cmap": "Greys", "vmin": 0, "vmax": largest}, "total variation"
        elif self.labels is not None:
            name = f"change of p({shortened(str(self.labels[-1]), 8)})"
        colour_bar(surfaces.image(ax, self.x, self.y, values, **look), ax, name)

    def _uncertainty(self, ax: Any) -> None:
        of_classes = self.labels is not None
        look: dict[str, Any] = {"cmap": "Greys" if of_classes else "cividis", "vmin": 0}
        image = surfaces.image(ax, self.x, self.y, self.uncertainty, **look)
        if of_classes:
            borders(ax, self.x, self.y, self.with_dropout)
        colour_bar(image, ax, "entropy (nats)" if of_classes else "std of draws")


def _no_targets(model: Model, points: tuple[Array, Array | None]) -> tuple[Array, Array | None]:
    """Points of numbers have no labels."""
    return points if model.labels is not None else (points[0], None)


def _check_pair(first: Model, model: Model) -> None:
    """ValueError unless the first has no dropout, and predicts the same as the second."""
    checks.must(not first.drops, "without", "a model without dropout", "one that drops units")
    alike = (first.labels is None) == (model.labels is None)
    if alike and first.labels is not None and model.labels is not None:
        alike = np.array_equal(first.labels, model.labels)
    checks.must(alike, "without", "a model of the same classes or numbers", "another one")
