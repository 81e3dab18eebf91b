"""How large activations and gradients are, layer by layer and step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike
from thinnet.displays import health_presets
from thinnet.displays.moments import network_of, networks_at, rows_of, targets_of
from thinnet.displays.panels import (
    by_name,
    grid_of,
    legend_below,
    ordered_colours,
    plain_or_large,
    style_of,
)
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.training.diagnostics import EXPLODING, VANISHING
from thinnet.training.series import GradientSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES: Final = ("rms", "norm", "std", "mean", "high")
WORDS: Final = {
    "rms": "root mean square",
    "norm": "norm",
    "std": "standard deviation",
    "mean": "mean, bars: 1 std",
    "high": "98th percentile",
}
ROWS: Final = {"activations": "activations", "gradients": "gradients"}
BINS: Final = 60
MOST_NAMES: Final = 9


@dataclass
class GradientHealth:
    """Activations and back-propagated gradients of each layer: one panel above, one below.

    Gradients are those of the mean loss by the pre-activations.  Where there is one step, layers
    stand along the axis; else steps do, and each layer is a line.

    Parameters
    ----------
    series : dict of str to GradientSeries
        By the names of trainings or networks, which are compared side by side.

    Attributes
    ----------
    axes_ : array of matplotlib axes
        Activations in the first row, gradients in the second, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks", figures 2, 3, 6 and 7.

    Examples
    --------
    >>> from thinnet import GradientHealth
    >>> shown = GradientHealth.preset("vanishing")
    >>> shown.verdicts()["sigmoid, 1/sqrt(n)"][:2]
    ['hidden 1: gradient vanishes', 'hidden 2: gradient vanishes']
    """

    series: dict[str, GradientSeries]
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.series = by_name(self.series)
        for each in self.series.values():
            checks.must(isinstance(each, GradientSeries), "series", "GradientSeries", each)
            checks.must(bool(each.steps), "series", "one with measurements", each)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator | Network | Mapping[str, FittedEstimator | Network],
        X: MatrixLike,
        y: TargetLike,
        *,
        loss: Loss | None = None,
        measure: str = "rms",
        axes: Sequence[Axes] | None = None,
    ) -> GradientHealth:
        """Plot one training pass over some rows, dropout on, of a network as it stands.

        Parameters
        ----------
        estimator : estimator, pipeline, Network, or a dict of them by name
        X : array, shape (rows, ...)
        y : array
            Targets, of a network in the form that its loss takes.
        loss : Loss, optional
            Of a network; by default the one that `train` takes for `y`.
        measure : str, default='rms'
            Or 'norm', 'std', 'mean', 'high' (the 98th percentile).
        axes : matplotlib axes, optional
            Two: activations, gradients.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `X` or `y` doesn't fit, it is an ensemble, or a setting is not as above.
        """
        found = {}
        for name, model in by_name(estimator).items():
            network = network_of(model)
            targets, its_loss = targets_of(model, y, loss)
            found[name] = GradientSeries(rows_of(model, X), targets, loss=its_loss)
            found[name].measure(network)
        return cls(found).plot(axes, measure=measure)

    @classmethod
    def from_recording(
        cls,
        recording: Any,
        X: MatrixLike,
        y: TargetLike,
        steps: Sequence[int],
        *,
        loss: Loss | None = None,
        measure: str = "rms",
        axes: Sequence[Axes] | None = None,
    ) -> GradientHealth:
        """Plot some steps of a recording, or of a dict of them by name.

        Parameters
        ----------
        recording : Recording
            Or any object whose ``at(step).network`` is the network before a step.
        X, y, loss, measure, axes
            As in `from_estimator`, of a network.
        steps : sequence of int
            At least one.

        Raises
        ------
        ValueError
            If a step is not in the recording, or something is not as above.
        """
        found = {}
        for name, each in by_name(recording).items():
            found[name] = GradientSeries(X, y, loss=loss)
            for network in networks_at(each, steps):
                found[name].measure(network)
        return cls(found).plot(axes, measure=measure)

    @classmethod
    def preset(cls, name: str = "vanishing", *, epochs: int = 0, seed: int = 0) -> GradientHealth:
        """Plot deep networks whose gradients vanish or explode, beside one whose don't.

        Parameters
        ----------
        name : {'vanishing', 'exploding'}
            'vanishing': twelve layers of sigmoids and of tanh with the weights of before 2010,
            ``U(-1/sqrt(n), 1/sqrt(n))``, and of tanh with Glorot's.  'exploding': twelve layers of
            ReLU with normal weights of standard deviation ``3/sqrt(n)``, and with He's.
        epochs : int, default=0
            Epochs of SGD on scikit-learn's digits, at least 0: with 0 as they start.  A training
            that diverges is shown up to there.
        seed : int

        Raises
        ------
        ValueError
            If a setting is not as above.
        """
        return cls(health_presets.series(name, epochs, seed)).plot()

    def verdicts(self) -> dict[str, list[str]]:
        """Where gradients vanish or explode at the last step, a sentence a layer.

        The root mean square is compared with that at the output, as in `gradient_report`.
        """
        return {name: _verdicts(each) for name, each in self.series.items()}

    def plot(self, axes: Sequence[Axes] | None = None, *, measure: str = "rms") -> GradientHealth:
        """Plot on axes of yours, those of activations first, or on new ones."""
        checks.one_of("measure", measure, MEASURES)
        alone = all(len(each.steps) == 1 for each in self.series.values())
        with plain_or_large(axes):
            columns = 1 if alone else len(self.series)
            grid = grid_of(axes, 2, columns, 5.6, sharex=alone, sharey="row")
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            (self._over_layers if alone else self._over_steps)(measure)
            for kind, row in zip(ROWS, self.axes_, strict=True):
                row[0].set_ylabel(f"{kind},\n{WORDS[measure]}")
        return self

    def plot_histograms(self, axes: Sequence[Axes] | None = None) -> GradientHealth:
        """Plot the distributions at the last step, a line a layer: figures 6 and 7 of the paper."""
        from thinnet.displays import ticks

        with plain_or_large(axes):
            grid = grid_of(axes, 2, len(self.series), 5.6)
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            for column, (name, each) in zip(grid.T, self.series.items(), strict=True):
                assert each.latest is not None
                for ax, kind in zip(column, ROWS, strict=True):
                    lines = _histograms(ax, getattr(each.latest, kind)[:-1])
                    ax.set(xlabel=kind, yticks=[], ylim=(0, None))
                    ticks.few(ax.xaxis)
                column[0].set_title(name)
            for ax in grid[:, 0]:
                ax.set_ylabel("density")
            names = next(iter(self.series.values())).layers[:-1]
            _name_layers(self.figure_, lines, names)
        return self

    def _over_layers(self, measure: str) -> None:
        """A line for each network, the layers along the axis."""
        lines = []
        for place, each in enumerate(self.series.values()):
            for kind, ax in zip(ROWS, self.axes_[:, 0], strict=True):
                values = each.column(kind, measure)[0]
                style = style_of(place)
                lines.append(ax.plot(np.arange(len(values)), values, **style)[0])
                if measure == "mean":
                    _bars(ax, np.arange(len(values)), values, each.column(kind, "std")[0], style)
        longest = max((each.layers for each in self.series.values()), key=len)
        short = [name.removeprefix("hidden ").replace("output", "out") for name in longest]
        self.axes_[1, 0].set_xticks(np.arange(len(short)), short)
        self.axes_[1, 0].set_xlabel("hidden layer")
        for ax in self.axes_[:, 0]:
            _scale(ax, measure)
        if list(self.series) != [""]:
            legend_below(self.figure_, lines[::2], list(self.series), min(len(self.series), 2))

    def _over_steps(self, measure: str) -> None:
        """A column of panels for each training, a line for each layer."""
        from thinnet.displays import ticks

        for column, (name, each) in zip(self.axes_.T, self.series.items(), strict=True):
            colours = ordered_colours(len(each.layers))
            for kind, ax in zip(ROWS, column, strict=True):
                values, spread = each.column(kind, measure), each.column(kind, "std")
                lines = []
                for place, colour in enumerate(colours):
                    style = _of_layer(place, colour) | {"markevery": _some(place, each.steps)}
                    lines += ax.plot(each.steps, values[:, place], **style)
                    if measure == "mean":
                        _bars(ax, each.steps, values[:, place], spread[:, place], style)
                _scale(ax, measure)
            column[0].set_title(name)
            column[1].set_xlabel("step")
            for ax in column:
                ticks.whole(ax.xaxis)
        _name_layers(self.figure_, lines, each.layers)


def _verdicts(series: GradientSeries) -> list[str]:
    size = series.column("gradients", "rms")[-1]
    found = []
    for layer, ratio in zip(series.layers, size / (size[-1] or 1.0), strict=True):
        words = "vanishes" if ratio < VANISHING else "explodes" if ratio > EXPLODING else ""
        if not np.isfinite(ratio):
            words = "is not finite"
        found += [f"{layer}: gradient {words}"] if words else []
    return found


def _histograms(ax: Any, layers: Sequence[Array]) -> list[Any]:
    """Densities of each layer's values over the range that holds nearly all of them."""
    reach = max(float(np.quantile(np.abs(values), 0.995)) for values in layers) or 1.0
    low = -reach if min(float(values.min()) for values in layers) < 0 else 0.0
    lines = []
    for place, (values, colour) in enumerate(
        zip(layers, ordered_colours(len(layers)), strict=True)
    ):
        height, edges = np.histogram(values, BINS, (low, reach), density=True)
        style = _of_layer(place, colour) | {"markevery": (5 + 2 * place, BINS)}
        lines += ax.plot((edges[1:] + edges[:-1]) / 2, height, **style)
    return lines


def _name_layers(figure: Any, lines: Sequence[Any], names: Sequence[str]) -> None:
    """A legend of all layers, or of some evenly spaced ones where there are many."""
    n = len(names)
    shown = sorted({round(i) for i in np.linspace(0, n - 1, min(n, MOST_NAMES))})
    legend_below(figure, [lines[i] for i in shown], [names[i] for i in shown], 3)


def _bars(ax: Any, at: Any, values: Array, spread: Array, style: dict[str, Any]) -> None:
    ax.errorbar(at, values, spread, fmt="none", ecolor=style["color"], elinewidth=1, capsize=2)


def _of_layer(place: int, colour: Any) -> dict[str, Any]:
    return style_of(place) | {"color": colour, "linestyle": "-", "linewidth": 1.3}


def _some(place: int, steps: Sequence[int]) -> tuple[int, int]:
    """The first step with a mark, another one for each layer, and the steps between marks."""
    between = max(1, len(steps) // 5)
    return place % between, between


def _scale(ax: Any, measure: str) -> None:
    """Powers of ten for sizes, if there are sizes above 0; else plain numbers."""
    from thinnet.displays import ticks

    heights = np.concatenate([line.get_ydata() for line in ax.lines]).astype(float)
    if measure in ("rms", "norm", "std") and (heights[np.isfinite(heights)] > 0).any():
        ax.set_yscale("log")
        ticks.powers(ax.yaxis)
    else:
        ticks.readable(ax.yaxis)
