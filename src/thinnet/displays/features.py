"""What the units of a first layer look for: their weights as images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator
from thinnet.displays.panels import by_name, grid_of, plain_or_large
from thinnet.displays.recorded import Moments, network_of, networks_at
from thinnet.network import Network
from thinnet.network.weight_layers import weight_layers, weights_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH: Final = 0.995  # the quantile of |weights| that is black or white


@dataclass
class FirstLayerFeatures:
    """The weights of a first layer's units as images, a panel for each model, side by side.

    Grey is 0; black and white are the same distance from it, which each panel states.

    Parameters
    ----------
    weights : dict of str to array, shape (units, height, width)
        By the names of models.

    Attributes
    ----------
    axes_ : array of matplotlib axes, shape (models,)
        The axes, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting",
    figure 7.

    Examples
    --------
    >>> from thinnet import Dense, FirstLayerFeatures, Network
    >>> network = Network([Dense(20), Dense(10)], features=64, seed=0)
    >>> shown = FirstLayerFeatures.from_estimator(network, (8, 8), n=16)
    >>> shown.weights[""].shape
    (16, 8, 8)
    """

    weights: dict[str, Array]
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.weights = {
            name: checks.finite("weights", checks.numeric("weights", each))
            for name, each in by_name(self.weights).items()
        }
        for each in self.weights.values():
            checks.must(each.ndim == 3, "weights", "of shape (units, height, width)", each.shape)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator | Network | Mapping[str, FittedEstimator | Network],
        image_shape: Sequence[int],
        *,
        n: int = 64,
        axes: Sequence[Axes] | None = None,
    ) -> FirstLayerFeatures:
        """Plot the first layer of a network or of a fitted estimator, or of several by name.

        Parameters
        ----------
        estimator : estimator, pipeline, Network, or a dict of them by name
        image_shape : pair of int
            The height and width of a row as an image.
        n : int, default=64
            At most so many units, the first ones, at least 1.
        axes : matplotlib axes, optional
            One for each model.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If a unit has another number of weights, it is an ensemble, or a setting is not as
            above.
        """
        checks.integer("n", n, 1)
        models = by_name(estimator)
        found = {name: _first_weights(network_of(each)) for name, each in models.items()}
        return cls({k: _images(W, image_shape)[:n] for k, W in found.items()}).plot(axes)

    @classmethod
    def from_recording(
        cls,
        recording: Moments,
        image_shape: Sequence[int],
        steps: Sequence[int],
        *,
        n: int = 64,
        axes: Sequence[Axes] | None = None,
    ) -> FirstLayerFeatures:
        """Plot the first layer before some steps of a recording, a panel for each step.

        Parameters
        ----------
        recording : Recording
            Or any object whose ``at(step).network`` is the network before a step.
        steps : sequence of int
            At least one.
        image_shape, n, axes
            As in `from_estimator`.

        Raises
        ------
        ValueError
            If a step is not in the recording, or something is not as above.
        """
        found = {f"step {step}": each for step, each in networks_at(recording, steps)}
        return cls.from_estimator(found, image_shape, n=n, axes=axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> FirstLayerFeatures:
        """Plot on axes of yours, one a model, or on new ones."""
        with plain_or_large(axes):
            many = len(self.weights)
            self.axes_ = grid_of(axes, 1, many, 0.75 + 6.3 / many)[0]
            self.figure_ = self.axes_[0].figure
            for ax, (name, each) in zip(self.axes_, self.weights.items(), strict=True):
                reach = float(np.quantile(np.abs(each), REACH)) or 1.0
                look = {"cmap": "gray", "vmin": -reach, "vmax": reach, "interpolation": "nearest"}
                ax.imshow(tiled(each), **look)
                ax.set(xticks=[], yticks=[], xlabel=f"\N{PLUS-MINUS SIGN}{reach:.2g}")
                ax.set_title(name)
                ax.spines[:].set_visible(False)
        return self


def tiled(images: Array) -> Array:
    """Images of shape (n, height, width) as one, in a square of tiles one pixel apart; NaN between.

    Examples
    --------
    >>> tiled(np.ones((2, 1, 1)))
    array([[ 1., nan,  1.]])
    """
    n, height, width = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    whole = np.full((rows, height + 1, columns, width + 1), np.nan)
    for place, image in enumerate(images):
        whole[place // columns, :height, place % columns, :width] = image
    return whole.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]


def _first_weights(network: Network) -> Array:
    layers = weight_layers(network)
    checks.must(bool(layers), "network", "one that has layers with weights", network)
    return weights_of(network, layers[0])


def _images(W: Array, image_shape: Sequence[int]) -> Array:
    shape = tuple(image_shape) if np.iterable(image_shape) else ()
    whole = len(shape) == 2 and all(checks.is_integer(side) and side > 0 for side in shape)
    checks.must(whole, "image_shape", "(height, width)", image_shape)
    size = W.shape[1]
    allowed = f"of {size} numbers, as a unit of the first layer has weights"
    checks.must(math.prod(shape) == size, "image_shape", allowed, shape)
    return W.reshape(len(W), *shape)
