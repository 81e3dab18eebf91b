"""Optimisers, or ways to regularise, beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.displays.panels import by_name, grid_of, legend_below, plain_or_large, style_of
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.optimizers import Adam, Optimizer
from thinnet.training.racing import race_of, regularized

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class OptimizerRace:
    """Losses over the steps of trainings that begin alike: with optimisers, or regularisers.

    All have the same seed, and so the same batches and masks, and the same first weights.  Losses
    are measured with dropout off and have no penalties in them.

    Parameters
    ----------
    steps : array of int, shape (points,)
    training : dict of str to array, shape (points,)
        Losses on training rows, by the names of trainings; NaN from where one diverged.
    validation : dict of str to array, shape (points,)
        Losses on rows held out; may be empty.

    Attributes
    ----------
    axes_ : array of matplotlib axes
        Training and, if there is one, validation, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from thinnet import SGD, Adam, Dense, Network, OptimizerRace, Tanh
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> network = Network([Dense(8), Tanh(), Dense(2)], features=4, seed=0)
    >>> shown = OptimizerRace.from_training(
    ...     network, {"SGD": SGD(0.1), "Adam": Adam()}, X, X[:, 0] > 0, epochs=4, batch_size=20
    ... )
    >>> bool(shown.training["SGD"][0] == shown.training["Adam"][0]), shown.steps[-1]
    (True, np.int64(20))
    """

    steps: Array
    training: dict[str, Array]
    validation: dict[str, Array] = field(default_factory=dict)
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.steps = checks.numeric("steps", self.steps)
        self.training = by_name(self.training)
        for losses in (self.training, self.validation):
            for each in losses.values():
                checks.same_length("losses", np.asarray(each), "steps", len(self.steps))

    @classmethod
    def from_training(
        cls,
        networks: Network | Mapping[str, Network],
        optimizers: Optimizer | Mapping[str, Optimizer],
        X: MatrixLike,
        y: TargetLike,
        *,
        epochs: int = 10,
        batch_size: int = 128,
        validation: tuple[MatrixLike, ...] | None = None,
        loss: Loss | None = None,
    ) -> OptimizerRace:
        """Train copies of networks by optimisers, and plot their losses.

        Parameters
        ----------
        networks : Network, or dict of them by name
            Of one seed, with weights of the same shapes.  All begin with the weights of the first
            one; BatchNorm and dropout may stand between them.  They stay as they are.
        optimizers : Optimizer, or dict of them by name
            With several networks and several optimisers all pairs are trained.
        X, y, epochs, batch_size, validation, loss
            As in `train`; at least one epoch, and `batch_size` a number.

        Raises
        ------
        ValueError
            If networks are not alike, or a setting or the data is not as in `train`.
        """
        found = race_of(
            by_name(networks),
            by_name(optimizers),
            X=X,
            y=y,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            loss=loss,
        )
        return cls(*found).plot()

    @classmethod
    def of_regularizers(
        cls,
        hidden: Sequence[int],
        X: MatrixLike,
        y: TargetLike,
        *,
        optimizer: Optimizer | None = None,
        epochs: int = 10,
        batch_size: int = 128,
        validation: tuple[MatrixLike, ...] | None = None,
        seed: int = 0,
    ) -> OptimizerRace:
        """Train a network of ReLUs without regularisation, with L1, L2, BatchNorm and dropout.

        Parameters
        ----------
        hidden : sequence of int
            Widths of the hidden layers.
        X : array, shape (rows, features)
        y : array, shape (rows,) or (rows, outputs)
            Integer labels from 0, or numbers.
        optimizer : Optimizer, optional
            By default ``Adam(0.001)``.
        epochs, batch_size, validation
            As in `from_training`.
        seed : int
            The seed of weights, batches and masks.

        Raises
        ------
        ValueError
            If a setting or the data is not as above.
        """
        targets, rows = checks.numeric("y", y), checks.numeric("X", X)
        checks.must(rows.ndim == 2, "X", "an array of shape (rows, features)", rows.shape)
        features = rows.shape[1:]
        networks = regularized(hidden, _width(targets), features, seed)
        adam = Adam() if optimizer is None else optimizer
        return cls.from_training(
            networks, adam, X, y, epochs=epochs, batch_size=batch_size, validation=validation
        )

    def plot(self, axes: Sequence[Axes] | None = None) -> OptimizerRace:
        """Plot on axes of yours, that of training first, or on new ones."""
        panels = {"training loss": self.training, "validation loss": self.validation}
        shown = {title: losses for title, losses in panels.items() if losses}
        with plain_or_large(axes):
            rows = (len(self.training) + 1) // 2
            grid = grid_of(axes, 1, len(shown), 3.2 + 0.25 * rows)
            self.axes_, self.figure_ = grid[0], grid[0, 0].figure
            for ax, (title, losses) in zip(self.axes_, shown.items(), strict=True):
                lines = self._panel(ax, losses)
                ax.set(xlabel="step", title=title)
            self.axes_[0].set_ylabel("loss")
            if list(self.training) != [""]:
                legend_below(self.figure_, lines, list(losses), 2)
        return self

    def _panel(self, ax: Any, losses: Mapping[str, Array]) -> list[Any]:
        from thinnet.displays import ticks

        lines = []
        for place, each in enumerate(losses.values()):
            every = max(1, len(self.steps) // 6)
            style = style_of(place) | {"markevery": (place % every, every)}
            lines += ax.plot(self.steps, each, **style)
        ticks.whole(ax.xaxis)
        ticks.sizes(ax.yaxis, list(losses.values()))
        return lines


def _width(y: Array) -> int:
    """The outputs of a network for targets: a class each, or a number each."""
    if y.ndim == 1 and y.dtype.kind in "iub":
        least = int(y.min())
        checks.must(least >= 0, "y", "labels from 0, or numbers that are no integers", least)
        return int(y.max()) + 1
    return 1 if y.ndim == 1 else int(y.shape[1])
