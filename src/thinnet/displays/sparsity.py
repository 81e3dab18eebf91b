"""How sparse the activations of a hidden layer are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks, sparse
from thinnet.arrays import Array, FittedEstimator, MatrixLike
from thinnet.displays.axes import BLUE
from thinnet.displays.panels import by_name, grid_of, plain_or_large
from thinnet.displays.recorded import Moments, network_of, networks_at, rows_of
from thinnet.network import Network
from thinnet.network.weight_layers import weight_layers
from thinnet.passes import Run, Site

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS: Final = 30
ROWS_AT_ONCE: Final = 1000


@dataclass
class ActivationSparsity:
    """Histograms of units' mean activations, above, and of all activations, below.

    A column for each model; dropout is off.

    Parameters
    ----------
    activations : dict of str to array, shape (rows, units)
        By the names of models.

    Attributes
    ----------
    axes_ : array of matplotlib axes, shape (2, models)
        The axes, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting",
    figure 8.

    Examples
    --------
    >>> from thinnet import ActivationSparsity, Dense, Network, ReLU
    >>> network = Network([Dense(20), ReLU(), Dense(2)], features=4, seed=0)
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> shown = ActivationSparsity.from_estimator(network, X)
    >>> shown.activations[""].shape, 0.4 < shown.zeros()[""] < 0.6
    ((100, 20), True)
    """

    activations: dict[str, Array]
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.activations = {
            name: checks.finite("activations", checks.numeric("activations", each))
            for name, each in by_name(self.activations).items()
        }
        for each in self.activations.values():
            checks.must(each.ndim == 2, "activations", "of shape (rows, units)", each.shape)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator | Network | Mapping[str, FittedEstimator | Network],
        X: MatrixLike,
        *,
        layer: int = 1,
        axes: Sequence[Axes] | None = None,
    ) -> ActivationSparsity:
        """Plot a hidden layer of a network or of a fitted estimator, or of several by name.

        Parameters
        ----------
        estimator : estimator, pipeline, Network, or a dict of them by name
        X : array, shape (rows, ...)
        layer : int, default=1
            The hidden layer, counted from 1.
        axes : matplotlib axes, optional
            Two for each model: first those of mean activations.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `X` doesn't fit, there is no such layer, or it is an ensemble.
        """
        found = {
            name: activations_of(network_of(each), rows_of(each, X), layer)
            for name, each in by_name(estimator).items()
        }
        return cls(found).plot(axes)

    @classmethod
    def from_recording(
        cls,
        recording: Moments,
        X: MatrixLike,
        steps: Sequence[int],
        *,
        layer: int = 1,
        axes: Sequence[Axes] | None = None,
    ) -> ActivationSparsity:
        """Plot a hidden layer before some steps of a recording, a column for each step.

        Parameters
        ----------
        recording : Recording
            Or any object whose ``at(step).network`` is the network before a step.
        X, layer, axes
            As in `from_estimator`, of a network.
        steps : sequence of int
            At least one.

        Raises
        ------
        ValueError
            If a step is not in the recording, or something is not as above.
        """
        found = {f"step {step}": each for step, each in networks_at(recording, steps)}
        return cls.from_estimator(found, X, layer=layer, axes=axes)

    def zeros(self) -> dict[str, float]:
        """The fraction of activations that are 0."""
        return {name: float((each == 0).mean()) for name, each in self.activations.items()}

    def plot(self, axes: Sequence[Axes] | None = None) -> ActivationSparsity:
        """Plot on axes of yours, those of mean activations first, or on new ones."""
        means = {name: each.mean(axis=0) for name, each in self.activations.items()}
        zeros = self.zeros()
        with plain_or_large(axes):
            grid = grid_of(axes, 2, len(means), 5.2, sharex="row", sharey="row")
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            edges = [_edges(means.values()), _edges(self.activations.values())]
            for column, name in zip(grid.T, means, strict=True):
                mean = means[name].mean()
                _histogram(column[0], means[name], edges[0], f"mean {mean:.2g}")
                words = f"{zeros[name]:.0%} are 0".replace("%", " %")
                _histogram(column[1], self.activations[name].ravel(), edges[1], words)
                column[0].set_title(name)
                column[0].set_xlabel("mean of a unit")
                column[1].set_xlabel("activation")
            grid[0, 0].set_ylabel("fraction of units")
            grid[1, 0].set_ylabel("fraction, log scale")
            _in_powers(grid[1])
        return self


def activations_of(network: Network, X: MatrixLike, layer: int) -> Array:
    """The activations of a hidden layer, dropout off, shape (rows, units)."""
    hidden = weight_layers(network)[:-1]
    checks.must(bool(hidden), "network", "one that has hidden layers", network)
    place = hidden[checks.integer("layer", layer, 1, len(hidden)) - 1].activation
    wanted, found = network.sites[place].name, list[Array]()

    def keep(site: Site, y: Array) -> None:
        if site.name == wanted:
            found.append(y.reshape(len(y), -1).copy())

    rows = sparse.finite("X", network.fitting(X), network.dtype)
    for start in range(0, rows.shape[0], ROWS_AT_ONCE):
        network.forward(rows[start : start + ROWS_AT_ONCE], Run.predict(), keep)
    return np.concatenate(found)


def _edges(arrays: Any) -> Array:
    """The edges of bins over all values of some arrays."""
    low = min(0.0, *(float(each.min()) for each in arrays))
    high = max(float(each.max()) for each in arrays)
    return np.linspace(low, high if high > low else low + 1.0, BINS + 1)


def _histogram(ax: Any, values: Array, edges: Array, words: str) -> None:
    from thinnet.displays import ticks

    heights = np.histogram(values, edges)[0] / len(values)
    ax.bar(edges[:-1], heights, np.diff(edges), align="edge", color=BLUE)
    ax.text(0.97, 0.95, words, transform=ax.transAxes, ha="right", va="top")
    ticks.readable(ax.xaxis, ax.yaxis)


def _in_powers(row: Any) -> None:
    from thinnet.displays import ticks

    for ax in row:
        ax.set_yscale("log")
        ticks.powers(ax.yaxis)
