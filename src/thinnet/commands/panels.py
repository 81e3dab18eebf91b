"""The figures of a report; predictions lie along x and what was observed along y."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.commands.error_bars import Forecast
from thinnet.commands.evaluating import Answers
from thinnet.commands.measuring import COVERAGES
from thinnet.displays.axes import BLUE, ORANGE
from thinnet.displays.pit import PITHistogram
from thinnet.displays.risk_coverage import RiskCoverageCurve
from thinnet.training import History

MOST_POINTS: Final = 2000  # more would hide each other
MOST_BARS: Final = 150
N_BINS: Final = 10
LIMITS: Final = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)
NINETY: Final = 2 * COVERAGES.index(0.9)  # place of the lower end among the quantiles
MOST_LETTERS: Final = 30  # letters of all classes' names side by side
LONG_NAME: Final = 24  # letters
MIDNIGHT: Final = " 00:00:00"  # behind dates of typed files
FONT: Final = 10  # the font size of titles
STYLES: Final = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": ORANGE, "linestyle": "--", "marker": "s", "markerfacecolor": "white"},
)


def some_of(rows: int, most: int = MOST_POINTS) -> str:
    """Words for the number of rows that are shown, of how many."""
    return f"{rows:,} rows" if rows <= most else f"{most:,} of {rows:,} rows"


def _some(rows: int, most: int) -> Array:
    return np.random.default_rng(0).permutation(rows)[:most]


def _axes(title: str, size: tuple[float, float] = (6.4, 5.0)) -> Any:
    from matplotlib.figure import Figure

    axes = Figure(figsize=size, layout="constrained").subplots()
    axes.set_title(title, fontsize=FONT)
    return axes


def learning_curve(history: History, title: str, epochs: int | None = None) -> Any:
    """Losses and scores over the epochs; `epochs` if networks were then trained on all rows."""
    from matplotlib.figure import Figure

    history = history if epochs is None else replace(history, best_epoch=-1)
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    panels = figure.subplots(1, 2)
    history.plot(panels)
    for axes in panels:
        if epochs is not None:
            axes.axvline(epochs, color="0.5", linestyle="-.", label="epochs taken on all rows")
        axes.set_xlim(1, max(len(history), 2))
        if axes.get_legend():
            axes.get_legend().remove()
    figure.suptitle(title, fontsize=FONT)
    shown = panels[0].get_legend_handles_labels()
    figure.legend(*shown, loc="outside lower center", ncols=4, frameon=False)
    return figure


def confusion(classes: Array, y: Array, guessed: Array, title: str) -> Any:
    """The confusion matrix: counts of rows by predicted class (x) and observed class (y)."""
    from sklearn.metrics import ConfusionMatrixDisplay

    from thinnet.displays import ticks

    names = _names(classes)
    longest, upright = max(map(len, names)), sum(map(len, names)) > MOST_LETTERS
    side, letters = max(3.4, 1.8 + 0.5 * len(names)), 0.08 * longest
    axes = _axes(title, (side + 1.4 + letters, side + 0.8 + (letters if upright else 0.2)))
    ConfusionMatrixDisplay.from_predictions(
        y, guessed, labels=range(len(names)), display_labels=names, ax=axes, cmap="Blues",
        values_format=",d", xticks_rotation="vertical" if upright else "horizontal",
    )  # fmt: skip
    axes.set(xlabel="predicted", ylabel="observed", aspect="auto")
    bar = axes.figure.axes[-1]
    bar.set_ylabel("rows")
    ticks.readable(bar.yaxis)
    return axes.figure


def _names(classes: Array) -> list[str]:
    """The classes' names: days without a time of day, long names shortened."""
    names = [str(name) for name in classes]
    if all(name.endswith(MIDNIGHT) for name in names):
        names = [name.removesuffix(MIDNIGHT) for name in names]
    return list(map(short_name, names))


def short_name(name: str) -> str:
    """A name of at most `LONG_NAME` letters."""
    return name if len(name) <= LONG_NAME else f"{name[: LONG_NAME - 1]}…"


def agreement(target: str, found: Answers, title: str) -> Any:
    """Numbers as predicted (x) and observed (y)."""
    from thinnet.displays import ticks

    some = _some(len(found.y), MOST_POINTS)
    axes = _axes(title, (6.0, 6.4))
    axes.scatter(found.predicted[some], found.y[some], s=10, alpha=0.35, color=BLUE, label="a row")
    _diagonal(axes, target, found.predicted[some], found.y[some])
    ticks.legend(axes, ncols=2)
    return axes.figure


def error_bars(target: str, y: Array, draws: Forecast, title: str) -> Any:
    """Intervals along x, observed numbers along y; a bar that meets the diagonal holds its own."""
    from thinnet.displays import ticks

    some = _some(len(y), MOST_BARS)
    low, high = draws.quantiles[some, NINETY], draws.quantiles[some, NINETY + 1]
    mean, observed = draws.mean[some], y[some]
    axes = _axes(title, (6.0, 6.4))
    # The mean of a skewed mixture may lie outside.
    reach = np.maximum([mean - low, high - mean], 0)
    holds = (low <= observed) & (observed <= high)
    looks = ((holds, BLUE, "o", "holds"), (~holds, ORANGE, "X", "misses"))
    for which, colour, shape, word in looks:
        if not which.any():
            continue
        axes.errorbar(
            mean[which], observed[which], xerr=reach[:, which], fmt=shape, ms=4, color=colour,
            ecolor=f"{colour}55", label=f"interval {word} it ({which.sum()})",
        )  # fmt: skip
    _diagonal(axes, target, np.concatenate([low, high]), observed)
    ticks.legend(axes, ncols=2)
    return axes.figure


def _diagonal(axes: Any, target: str, predicted: Array, observed: Array) -> None:
    from thinnet.displays import ticks

    ticks.both_alike(axes, (predicted, observed))
    ends = axes.get_xlim()
    axes.plot(ends, ends, "--", color="0.3", linewidth=1, label="predicted = observed")
    axes.set(xlabel=f"predicted {target}", ylabel=f"observed {target}")


def calibration(
    classes: Array, y: Array, probabilities: Mapping[str, Array], title: str, positive: int = 1
) -> Any:
    """Observed frequencies (y) against predicted probabilities (x), with rows on top.

    They are those of the class at place `positive` of two, or of the predicted one among many.  The
    axes of a class end where all its bins and their intervals are seen, so that rare classes can
    be read.
    """
    from thinnet.displays import ticks

    axes, is_class = _axes(title, (6.0, 6.6)), len(classes) == 2
    claims = {name: _claims(p, y, positive) for name, p in probabilities.items()}
    found = {name: _bins(*claim) for name, claim in claims.items()}
    least, most = (0.0, _reach(found.values())) if is_class else (_floor(probabilities), 1.0)
    axes.plot([least, most], [least, most], ":", color="0.3", label="calibrated")
    top = axes.inset_axes((0, 1.04, 1, 0.16), sharex=axes)
    for (name, (predicted, _)), style in zip(claims.items(), STYLES, strict=False):
        above = int((predicted > most).sum())
        _reliability(axes, found[name], f"{name}{f' ({above:,} above)' if above else ''}", style)
        line = {"color": style["color"], "ls": style["linestyle"]}
        top.hist(predicted, 20, range=(0, most), histtype="step", **line)
    what = repr(_names(classes)[positive]) if is_class else "the guess"
    axes.set(xlabel=f"predicted probability of {what}", ylabel=f"how often {what} was observed")
    axes.set(xlim=(least, most), ylim=(max(axes.get_ylim()[0], 0), 1.005 * most))
    _above(axes, top, title)
    ticks.legend(axes, ncols=3)
    return axes.figure


def _claims(p: Array, y: Array, positive: int) -> tuple[Array, Array]:
    """Predicted probabilities of a class, and whether that class was observed."""
    if p.shape[1] == 2:
        return np.clip(p[:, positive], 0, 1), y == positive
    return np.clip(p.max(axis=1), 0, 1), p.argmax(axis=1) == y


def _floor(probabilities: Mapping[str, Array]) -> float:
    """The beginning of the axes: no predicted class has a probability below 1 / classes."""
    least = min(p.max(axis=1).min() for p in probabilities.values())
    return float(np.floor(10 * min(least, 0.9)) / 10)


class Bins(NamedTuple):
    """Bins of equal mass: mean probability, observed frequency, and the ends of its interval."""

    x: Array
    frequency: Array
    ends: Array


def _reach(found: Iterable[Bins]) -> float:
    """The least of some round numbers that is above all of the bins; above .5 it is 1."""
    most = max(max(bins.x.max(), bins.ends.max()) for bins in found)
    return next((limit for limit in LIMITS if most <= limit), 1.0)


def _bins(predicted: Array, observed: Array) -> Bins:
    """The bins, with a 95 % interval of each frequency."""
    from scipy.stats import binomtest

    order = np.argsort(predicted, kind="stable")
    bins = [part for part in np.array_split(order, N_BINS) if len(part)]
    x, frequency = (
        np.array([values[part].mean() for part in bins]) for values in (predicted, observed)
    )
    ends = np.array([
        binomtest(int(observed[part].sum()), len(part)).proportion_ci(method="wilson")[:2]
        for part in bins
    ]).T  # fmt: skip
    return Bins(x, frequency, ends)


def _reliability(axes: Any, bins: Bins, name: str, style: dict[str, Any]) -> None:
    x, frequency, ends = bins
    reach = np.maximum([frequency - ends[0], ends[1] - frequency], 0)
    axes.errorbar(x, frequency, yerr=reach, capsize=2, ms=4, lw=1.3, label=name, **style)


def _above(axes: Any, top: Any, title: str) -> None:
    """The title over the rows, which stand over the axes."""
    from thinnet.displays import ticks

    axes.set_title("")
    top.set_title(title, fontsize=FONT)
    top.tick_params(labelbottom=False)
    top.set(ylabel="rows")
    ticks.readable(top.yaxis)


def pit(below: Array, title: str) -> Any:
    """The histogram of observed numbers' places in their predicted distributions."""
    axes = _axes(title)
    PITHistogram.from_values(np.clip(below, 0, 1), ax=axes)
    return axes.figure


def risk_coverage(error: Array, unsure: Array, risk: str, title: str) -> Any:
    """The error that is left if only the most certain rows are answered."""
    axes = _axes(title)
    RiskCoverageCurve.from_predictions(error, unsure, ax=axes)
    axes.set(ylabel=risk)
    return axes.figure
