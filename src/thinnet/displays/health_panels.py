"""The panels of `GradientHealth`: layers along the axis, or steps, or values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.displays import ticks
from thinnet.displays.panels import legend_below, ordered_colours, style_of
from thinnet.training.series import GradientSeries

BINS: Final = 60
MOST_NAMES: Final = 9
SIZES: Final = ("rms", "norm", "std")

Series = Mapping[str, GradientSeries]


class Shown(NamedTuple):
    """What is shown: the rows of panels, a measure, and whether of the last layer too."""

    kinds: tuple[str, ...]
    measure: str
    output: bool

    def layers(self, series: GradientSeries) -> tuple[str, ...]:
        return series.layers if self.output else series.layers[:-1]


def over_layers(grid: Array, series: Series, shown: Shown) -> None:
    """A panel for each kind, a line for each network, the layers along the axis."""
    longest = max((shown.layers(each) for each in series.values()), key=len)
    lines = []
    for place, each in enumerate(series.values()):
        at = list(range(len(shown.layers(each))))
        if shown.output:  # it stands last, also behind fewer hidden layers
            at[-1] = len(longest) - 1
        for kind, ax in zip(shown.kinds, grid[:, 0], strict=True):
            values, style = each.column(kind, shown.measure)[0, : len(at)], style_of(place)
            lines.append(ax.plot(at, values, **style)[0])
            if shown.measure == "mean":
                _bars(ax, at, values, each.column(kind, "std")[0, : len(at)], style)
    short = [name.removeprefix("hidden ").replace("output", "out") for name in longest]
    between = max(1, len(short) // 13)
    ticked = sorted({*range(0, len(short) - between, between), len(short) - 1})
    grid[-1, 0].set_xticks(ticked, [short[place] for place in ticked])
    grid[-1, 0].set_xlabel("hidden layer")
    for ax in grid[:, 0]:
        _scale(ax, shown.measure)
    if list(series) != [""]:
        legend_below(grid[0, 0].figure, lines[:: len(shown.kinds)], list(series), 2)


def over_steps(grid: Array, series: Series, shown: Shown) -> None:
    """A column of panels for each training, a line for each layer."""
    named: tuple[list[Any], tuple[str, ...]] = [], ()
    for column, (name, each) in zip(grid.T, series.items(), strict=True):
        for kind, ax in zip(shown.kinds, column, strict=True):
            lines = _lines(ax, each, kind, shown)
            _scale(ax, shown.measure)
            ticks.whole(ax.xaxis)
        column[0].set_title(name)
        column[-1].set_xlabel("step")
        named = max(named, (lines, shown.layers(each)), key=lambda pair: len(pair[1]))
    _name_layers(grid[0, 0].figure, *named)


def histograms(grid: Array, series: Series, kinds: Sequence[str]) -> None:
    """A column of panels for each network: densities of the latest values, a line a layer."""
    named: tuple[list[Any], tuple[str, ...]] = [], ()
    for column, (name, each) in zip(grid.T, series.items(), strict=True):
        assert each.latest is not None
        for ax, kind in zip(column, kinds, strict=True):
            lines = _densities(ax, getattr(each.latest, kind)[:-1])
            ax.set(xlabel=kind, yticks=[], ylim=(0, None))
            ticks.few(ax.xaxis)
        column[0].set_title(name)
        named = max(named, (lines, each.layers[:-1]), key=lambda pair: len(pair[1]))
    for ax in grid[:, 0]:
        ax.set_ylabel("density")
    _name_layers(grid[0, 0].figure, *named)


def _lines(ax: Any, series: GradientSeries, kind: str, shown: Shown) -> list[Any]:
    values, spread = series.column(kind, shown.measure), series.column(kind, "std")
    lines = []
    for place, colour in enumerate(ordered_colours(len(shown.layers(series)))):
        style = _of_layer(place, colour) | {"markevery": _some(place, series.steps)}
        lines += ax.plot(series.steps, values[:, place], **style)
        if shown.measure == "mean":
            _bars(ax, series.steps, values[:, place], spread[:, place], style)
    return lines


def _densities(ax: Any, layers: Sequence[Array]) -> list[Any]:
    """Densities of each layer's finite values over the range that holds nearly all of them."""
    finite = [values[np.isfinite(values)].astype(np.float64) for values in layers]
    there = [values for values in finite if values.size]
    reach = max((float(np.quantile(np.abs(values), 0.995)) for values in there), default=0) or 1.0
    low = -reach if any(values.min() < 0 for values in there) else 0.0
    lines = []
    for place, (values, colour) in enumerate(
        zip(finite, ordered_colours(len(finite)), strict=True)
    ):
        counts, edges = np.histogram(values, BINS, (low, reach))
        height = counts / (max(counts.sum(), 1) * (edges[1] - edges[0]))
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
    """Powers of ten for sizes, plain numbers for all else."""
    if measure in SIZES:
        ticks.sizes(ax.yaxis, [line.get_ydata() for line in ax.lines])
    else:
        ticks.readable(ax.yaxis)
