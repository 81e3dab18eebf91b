"""The units that dropout kept, as an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from thinnet.arrays import Array, FittedEstimator
from thinnet.displays.estimators import fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FIRST: Final = 20  # rows of a step that are shown


@dataclass
class KeptUnits:
    """The masks of some rows in a training step: a panel a layer, a row a sample, a column a unit.

    Parameters
    ----------
    masks : dict of int to bool array
        The masks of the input (0) and the hidden layers (1, 2, ...), shape (samples, units).
    samples : sequence of int
        The rows' ids.

    Attributes
    ----------
    axes_ : sequence of matplotlib axes
        One for each layer, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import KeptUnits, MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((30,), dropout=0.5, max_iter=1000, random_state=0).fit(X, y)
    >>> shown = KeptUnits.from_estimator(model, step=3)
    >>> [axes.get_title() for axes in shown.axes_]
    ['input: 4 of 4 kept', 'hidden layer 1: 13.6 of 30 kept']
    """

    masks: dict[int, Array]
    samples: Sequence[int] | Array
    axes_: Sequence[Axes] = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        *,
        step: int = 0,
        samples: Sequence[int] | Array | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> KeptUnits:
        """Plot the masks of a fitted estimator, or of the last step of a pipeline.

        Parameters
        ----------
        estimator : estimator or Pipeline
        step : int
            The number of the training step.
        samples : sequence of int, optional
            By default the first 20 rows of the step.
        axes : sequence of matplotlib axes, optional
            One for each layer.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If a coordinate is out of its range, there are not as many axes as layers, it is an
            ensemble, or there are no `samples` and the rows of the step are not known.
        """
        model = fitted(estimator, "masks")
        shown = model.rows(step)[:FIRST].tolist() if samples is None else samples
        return cls(model.masks(step, shown), shown).plot(axes=axes)

    def plot(self, *, axes: Sequence[Axes] | None = None) -> KeptUnits:
        """Plot on axes of yours, one a layer, or on new ones."""
        if axes is None:
            from matplotlib import pyplot as plt

            size = (10, 1.2 + 1.6 * len(self.masks))
            _, grid = plt.subplots(len(self.masks), 1, figsize=size, layout="constrained")
            axes = list(np.atleast_1d(grid))
        if len(axes) != len(self.masks):
            raise ValueError(f"axes must be {len(self.masks)}, one a layer, got {len(axes)}")
        for ax, (layer, kept) in zip(axes, self.masks.items(), strict=True):
            self._panel(ax, layer, kept)
        self.axes_, self.figure_ = axes, axes[0].figure  # type: ignore[assignment]
        return self

    def _panel(self, ax: Axes, layer: int, kept: Array) -> None:
        rows = kept.reshape(len(kept), -1)
        ax.imshow(rows, cmap="Greys", vmin=0, vmax=1.4, aspect="auto", interpolation="nearest")
        name = f"hidden layer {layer}" if layer else "input"
        mean = rows.sum(axis=1).mean()
        count = f"{mean:.0f}" if rows.all() else f"{mean:.1f}"
        ax.set(title=f"{name}: {count} of {rows.shape[1]} kept", xlabel="unit", ylabel="row")
        ax.set_yticks(np.arange(len(rows)), [str(sample) for sample in self.samples])
