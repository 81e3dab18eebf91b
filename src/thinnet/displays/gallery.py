"""Several draws: the thinned network and the surface of each, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, NetworkLike, TargetLike
from thinnet.displays import graphs, models, surfaces
from thinnet.displays.axes import SMALL, WIDE
from thinnet.displays.chains import Chain, Moment, chain_of
from thinnet.displays.graphs import Look, Room
from thinnet.displays.inputs import beside, far_from_training
from thinnet.displays.models import Model
from thinnet.displays.moments import moving
from thinnet.displays.planes import Plane, plane_of
from thinnet.losses import Loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWS: Final = 12
MOST_DRAWS: Final = 24
COLUMNS: Final = 4
RESOLUTION: Final = 40
MOST_POINTS: Final = 200
NETWORK: Final = Room(1.5, 1.25, 0.0, 0.0, 0.02, 0.02)  # inches of a thinned network
MOST_UNITS: Final = 8  # of a layer in it


@dataclass
class ThinnedGallery:
    """Draws, each with its thinned network and its surface; their mean, and dropout off.

    Every draw is one thinned network for the whole plane, so its surface is one function.  The mean
    is what Monte Carlo dropout predicts, of so few draws roughly; dropout off is weight scaling,
    its approximation by one pass.  Of several networks draw d is one of network ``d % n_networks``.

    Parameters
    ----------
    x, y : array, shape (points,)
        The inputs along both sides of the plane.
    draws : array, shape (n_draws, points of y, points of x, classes or 1)
        The surfaces: probabilities of classes, or numbers.
    without : array, shape (points of y, points of x, classes or 1)
        The surface with dropout off.
    chains : sequence of Chain
        The thinned network of each draw.
    titles : sequence of str
        What the draws are called.
    labels : array, shape (classes,), or None
        The classes; None for numbers.
    data : tuple of arrays, or None
        Inputs of shape (rows, 2), and labels or None, plotted as points on the last two surfaces.
    names : pair of str
        The names of the inputs, shown letter by letter.
    dated : pair of bool
        Whether each input is days since 1970.

    Attributes
    ----------
    axes_ : array of matplotlib axes, shape (n_draws + 1, 2)
        Once it is plotted: of each draw network and surface, at last mean and dropout off.
    figure_ : matplotlib figure
    at : callable or None
        Of `from_network`, the same picture of another network or moment, as `animate` asks for it.

    References
    ----------
    Srivastava et al. 2014, "Dropout", figure 1 and section 4; Gal and Ghahramani 2016.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from thinnet import MLPClassifier, ThinnedGallery
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> model = MLPClassifier((8,), dropout=0.3, max_iter=1000, random_state=0).fit(X, y)
    >>> shown = ThinnedGallery.from_estimator(model, X, y, resolution=20)
    >>> shown.draws.shape, shown.mean.shape
    ((12, 20, 20, 2), (20, 20, 2))
    """

    x: Array
    y: Array
    draws: Array
    without: Array
    chains: Sequence[Chain]
    titles: Sequence[str]
    labels: Array | None = None
    data: tuple[Array, Array | None] | None = None
    names: tuple[str, str] = ("x0", "x1")
    dated: tuple[bool, ...] = (False, False)
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
        features: Sequence[int | str] | None = None,
        n_draws: int = DRAWS,
        resolution: int = RESOLUTION,
    ) -> ThinnedGallery:
        """Plot a fitted estimator of two inputs, or a pipeline that ends in one.

        Parameters
        ----------
        estimator : classifier of one label, or regressor of one number
            With dropout, or several networks.
        X, y, features
            As in `DecisionSurface.from_estimator`.
        n_draws : int, default=12
            From 1 to 24.
        resolution : int, default=40
            Points along each side, 2 to 200.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If there are no two inputs, nothing draws, or a setting is not as above.
        """
        _check(n_draws, resolution)
        model = models.of_estimator(estimator)
        plane = plane_of(model.before, X, features, resolution)
        return cls._of(model, plane, beside(y, len(plane.given.X)), n_draws).plot()

    @classmethod
    def from_network(
        cls,
        network: NetworkLike,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        loss: Loss | None = None,
        features: Sequence[int] | None = None,
        n_draws: int = DRAWS,
        resolution: int = RESOLUTION,
    ) -> ThinnedGallery:
        """Plot a network, or a moment of a recording.

        Parameters
        ----------
        network : Network or moment
        X, y, loss, features
            As in `DecisionSurface.from_network`.
        n_draws, resolution
            As in `from_estimator`.

        Raises
        ------
        ValueError
            As `from_estimator`.
        """
        _check(n_draws, resolution)
        model = models.of_network(network, y, loss)
        plane = plane_of(model.before, X, features, resolution)
        targets = beside(models.labels_of(y), len(plane.given.X))
        shown = cls._of(model, plane, targets, n_draws).plot()
        again = partial(
            cls.from_network, X=X, y=y, loss=loss, features=features, n_draws=n_draws,
            resolution=resolution,
        )  # fmt: skip
        shown.at = moving(again)
        return shown

    @classmethod
    def _of(cls, model: Model, plane: Plane, targets: Array | None, n: int) -> ThinnedGallery:
        with far_from_training():
            draws = model.sample(plane.rows, n).reshape(n, *plane.shape, -1)
        m = len(model.networks)
        return cls(
            x=plane.x,
            y=plane.y,
            draws=draws,
            without=surfaces.clean_surface(model, plane),
            chains=[_thinned(model.networks[d % m], d // m) for d in range(n)],
            titles=[f"draw {d}" if m == 1 else f"draw {d // m}, net {d % m}" for d in range(n)],
            labels=model.labels,
            data=(plane.given.X, None if model.labels is None else targets),
            names=(plane.given.names[0], plane.given.names[1]),
            dated=plane.given.dated,
        )

    @property
    def mean(self) -> Array:
        """The mean of the draws, shape (points of y, points of x, classes or 1)."""
        return self.draws.mean(axis=0)

    def plot(self) -> ThinnedGallery:
        """Plot on a new figure."""
        from matplotlib import pyplot as plt

        n = len(self.draws)
        rows = -(-n // COLUMNS)
        tall, last = 2.7 * rows, 3.2 + 0.6 * (self.labels is None)
        self.figure_ = plt.figure(figsize=(WIDE, tall + last), layout="constrained")
        parts: Any = self.figure_.subfigures(2, 1, height_ratios=[tall, last])
        above, below = parts
        self.axes_ = np.empty((n + 1, 2), object)
        grid = above.subplots(2 * rows, COLUMNS, squeeze=False, height_ratios=[1.25, 1] * rows)
        limits = surfaces.shared_limits(self.draws, self.without)
        for place in range(rows * COLUMNS):
            row, column = divmod(place, COLUMNS)
            pair = grid[2 * row : 2 * row + 2, column]
            if place < n:
                self.axes_[place] = pair
                self._draw(place, limits)
            else:
                for ax in pair:
                    ax.remove()
        self.axes_[n] = below.subplots(1, 2)
        self._summary(limits, below)
        return self

    def _draw(self, d: int, limits: tuple[float, float]) -> None:
        """Plot one draw."""
        network, surface = self.axes_[d]
        chain = self.chains[d]
        tallest = min(max(stage.units for stage in chain.stages), MOST_UNITS)
        room = NETWORK._replace(pitch=min((NETWORK.height - 0.1) / tallest, 0.35))
        graphs.plot(network, chain, Look(MOST_UNITS, texts=False, widest=2.0, off=False), room)
        network.set_title(self.titles[d] + _kept(chain), fontsize=SMALL)
        surfaces.surface(surface, self.x, self.y, self.draws[d], limits)
        surface.set(xticks=[], yticks=[])

    def _summary(self, limits: tuple[float, float], figure: Any) -> None:
        """Plot the mean and dropout off."""
        pair: list[Axes] = list(self.axes_[-1])
        titles = (f"mean of {len(self.draws)} draws", "dropout off")
        for ax, values, title in zip(pair, (self.mean, self.without), titles, strict=True):
            image = surfaces.surface(ax, self.x, self.y, values, limits)
            if self.data is not None:
                surfaces.class_points(ax, *self.data, self.labels)
            ax.set_title(title, fontsize=SMALL)
            surfaces.names_of_plane(ax, self.names, self.dated)
        pair[1].set_ylabel("")
        if self.labels is None:
            surfaces.colour_bar(image, pair, "predicted")
        else:
            shaped = self.data is not None and self.data[1] is not None
            surfaces.class_legend(figure, self.labels, shaped=shaped)


def _check(n_draws: int, resolution: int) -> None:
    checks.integer("n_draws", n_draws, 1, MOST_DRAWS)
    checks.integer("resolution", resolution, 2, MOST_POINTS)


def _thinned(network: Any, draw: int) -> Chain:
    """The network of a draw; whole where its layers drop no units."""
    drops = any(hasattr(layer, "keep") for layer in network.layers)
    return chain_of(network, Moment(draw=draw) if drops else Moment())


def _kept(chain: Chain) -> str:
    """How many hidden units are kept, where there are too many to show."""
    hidden = chain.stages[1:-1]
    if all(stage.units <= MOST_UNITS for stage in hidden):
        return ""
    n = sum(stage.units for stage in hidden)
    return f"\n{n - sum(int(stage.dropped.sum()) for stage in hidden)} of {n} kept"
