"""The weights of each layer over the steps of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.displays.axes import BLUE, ORANGE
from thinnet.displays.panels import by_name, grid_of, legend_below, plain_or_large
from thinnet.displays.recorded import Moments, networks_at
from thinnet.training.series import WeightSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS: Final = ((0, 4, 0.2, "2 to 98 %"), (1, 3, 0.4, "25 to 75 %"))  # of all weights
MEDIAN: Final = 2
PANEL: Final = 1.75  # inches high


@dataclass
class WeightHistory:
    """Quantiles of each layer's weights, and some single weights, over the steps of a training.

    A panel for each layer, a column for each training.

    Parameters
    ----------
    series : dict of str to WeightSeries
        By the names of trainings, whose networks have as many layers.

    Attributes
    ----------
    axes_ : array of matplotlib axes, shape (layers, trainings)
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Raises
    ------
    ValueError
        If a series is empty, or the networks have different numbers of layers.

    Examples
    --------
    >>> from thinnet import Dense, Network, Tanh, WeightHistory, train
    >>> from thinnet.training import WeightSeries
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> network = Network([Dense(8), Tanh(), Dense(2)], features=4, seed=0)
    >>> series = WeightSeries(every=5)
    >>> _ = train(network, X, X[:, 0] > 0, batch_size=20, callbacks=[series])
    >>> WeightHistory({"Adam": series}).plot().axes_.shape
    (2, 1)
    """

    series: dict[str, WeightSeries]
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.series = by_name(self.series)
        for each in self.series.values():
            checks.must(isinstance(each, WeightSeries), "series", "WeightSeries", each)
            checks.must(bool(each.steps), "series", "one with measurements", each)
        counts = {len(each.layers) for each in self.series.values()}
        allowed = "those of networks with as many layers"
        checks.must(len(counts) == 1, "series", allowed, sorted(counts))

    @classmethod
    def from_recording(
        cls,
        recording: Moments | Mapping[str, Moments],
        steps: Sequence[int] | None = None,
        *,
        n_traces: int = 8,
        axes: Sequence[Axes] | None = None,
    ) -> WeightHistory:
        """Plot some steps of a recording, or of a dict of them by name.

        Parameters
        ----------
        recording : Recording
            Or any object whose ``at(step).network`` is the network before a step.
        steps : sequence of int, optional
            At least one; by default at most 40, evenly spaced, or of the keyframes where the
            recording doesn't have its data.
        n_traces : int, default=8
            The number of single weights shown in each layer, at least 0.
        axes : matplotlib axes, optional
            One for each layer and recording, row by row.

        Raises
        ------
        ValueError
            If a step is not in the recording, or something is not as above.
        """
        found = {}
        for name, each in by_name(recording).items():
            found[name] = WeightSeries(n_traces=n_traces)
            for _, network in networks_at(each, steps):
                found[name].measure(network)
        return cls(found).plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> WeightHistory:
        """Plot on axes of yours, row by row, or on new ones."""
        layers = next(iter(self.series.values())).layers
        with plain_or_large(axes):
            height = 1.2 + PANEL * len(layers)
            grid = grid_of(axes, len(layers), len(self.series), height, sharex="col", sharey="row")
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            for column, (name, each) in zip(grid.T, self.series.items(), strict=True):
                for place, ax in enumerate(column):
                    shown = _panel(ax, each, place)
                column[0].set_title(name)
                column[-1].set_xlabel("step")
            for name, ax in zip(layers, grid[:, 0], strict=True):
                ax.set_ylabel(f"{name},\nweights")
            legend_below(self.figure_, list(shown.values()), list(shown), 2)
        return self


def _panel(ax: Any, series: WeightSeries, place: int) -> dict[str, Any]:
    """Plot one layer; what is plotted, by its name."""
    from thinnet.displays import ticks

    steps, quantiles = series.steps, np.array([each[place] for each in series.quantiles])
    traces = np.array([each[place] for each in series.traces])
    look: dict[str, Any] = {"color": BLUE, "linewidth": 0}
    shown: dict[str, Any] = {}
    for low, high, alpha, name in BANDS:
        ends = quantiles[:, low], quantiles[:, high]
        shown[name] = ax.fill_between(steps, *ends, alpha=alpha, **look)
    mark = "o" if len(steps) == 1 else None
    shown["median"] = ax.plot(steps, quantiles[:, MEDIAN], color="black", marker=mark)[0]
    for trace in traces.T:
        style = {"color": ORANGE, "linewidth": 0.8, "linestyle": "--", "marker": mark}
        shown["single weights"] = ax.plot(steps, trace, **style)[0]
    ticks.whole(ax.xaxis)
    ticks.readable(ax.yaxis)
    return shown
