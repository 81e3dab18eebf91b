"""The figures of a report about columns: importances, and partial dependence of predictions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.commands.panels import FONT, short_name
from thinnet.displays.axes import BLUE
from thinnet.tables.importances import Importances

MOST_COLUMNS: Final = 20  # that a picture of importances has
LINE: Final = 0.28  # inches of a column's bar


def importances(found: Importances, title: str) -> Any:
    """How much the loss rises with each column shuffled, the most important one on top."""
    from matplotlib.figure import Figure

    from thinnet.displays import ticks

    shown = found.order[:MOST_COLUMNS][::-1]
    axes: Any = Figure(figsize=(6.4, 1.6 + LINE * len(shown)), layout="constrained").subplots()
    axes.figure.suptitle(title, fontsize=FONT)
    places = np.arange(len(shown))
    axes.barh(places, found.mean[shown], color=BLUE, alpha=0.6, label="mean")
    bars: dict[str, Any] = {"fmt": "none", "ecolor": "0.2", "capsize": 2}
    axes.errorbar(
        found.mean[shown], places, xerr=found.std[shown], label="standard deviation", **bars
    )
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_yticks(places, [short_name(found.columns[j]) for j in shown])
    axes.set(xlabel=f"rise of the {found.measure} with the column shuffled")
    axes.margins(y=0.01)
    ticks.readable(axes.xaxis)
    ticks.legend(axes, ncols=2)
    return axes.figure


def dependence(estimator: Any, frame: Any, column: str, target: Any, title: str) -> Any:
    """The mean prediction by one column."""
    from matplotlib.figure import Figure

    from thinnet.displays import ticks
    from thinnet.displays.partial_dependence import PartialDependence

    axes: Any = Figure(figsize=(5.6, 4.4), layout="constrained").subplots()
    PartialDependence.from_estimator(
        estimator, frame, column, target=target, subsample=None, ax=axes
    )
    axes.figure.suptitle(title, fontsize=FONT)
    axes.set_xlabel(short_name(column))
    if axes.get_legend_handles_labels()[1]:
        ticks.legend(axes, ncols=2)
    return axes.figure
