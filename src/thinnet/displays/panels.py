"""Figures of several panels: their size, their letters, and names as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array

WIDTH: Final = 6.3  # inches; printed at half of it, 80 mm, letters of 12 points are 6 points high
LETTERS: Final = 12.5
PLAIN: Final[dict[Any, Any]] = {"text.parse_math": False}  # a name may be "$x$"
LARGE: Final[dict[Any, Any]] = PLAIN | {
    "font.size": LETTERS,
    "axes.titlesize": LETTERS,
    "axes.labelsize": LETTERS,
    "legend.fontsize": LETTERS,
    "figure.titlesize": LETTERS,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "lines.linewidth": 2.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# Okabe and Ito's colours, with lines and marks that differ without them.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES: Final = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKS: Final = "os^DvPX"


@contextmanager
def plain_or_large(axes: Any) -> Iterator[None]:
    """A context with letters for 80 mm where the figure is ours; names are plain text in any."""
    from matplotlib import pyplot as plt

    with plt.rc_context(LARGE if axes is None else PLAIN):
        yield


def grid_of(axes: Any, rows: int, columns: int, height: float, **settings: Any) -> Array:
    """`axes` as a grid of panels, or a new one of `height` inches; ValueError for another count."""
    if axes is None:
        from matplotlib import pyplot as plt

        size = (WIDTH, height)
        _, axes = plt.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False, **settings
        )
    grid = np.asarray(axes, object)
    checks.must(grid.size == rows * columns, "axes", f"{rows * columns}, one a panel", grid.size)
    return grid.reshape(rows, columns)


def by_name(given: Any, name: str = "") -> dict[str, Any]:
    """`given` by names: a mapping as it is, anything else under `name`."""
    if not isinstance(given, Mapping):
        return {name: given}
    checks.must(bool(given), "the mapping of names", "one of at least one name", given)
    for each in given:
        checks.must(isinstance(each, str), "a name in the mapping", "a str", each)
    return dict(given)


def style_of(place: int) -> dict[str, Any]:
    """Colour, line and mark of one of several curves."""
    n, again = place % len(COLOURS), (place + place // len(COLOURS)) % len(MARKS)
    return {"color": COLOURS[n], "linestyle": LINES[n], "marker": MARKS[again], "markersize": 5}


def ordered_colours(n: int) -> list[Any]:
    """Colours of things in an order, dark to light, that differ in grey too."""
    from matplotlib import colormaps

    return [colormaps["cividis"](at) for at in np.linspace(0, 0.88, max(n, 1))[:n]]


def legend_below(figure: Any, lines: Sequence[Any], names: Sequence[str], columns: int) -> None:
    """Add a legend under all panels, names as plain text."""
    outside = figure.get_layout_engine() is not None
    where = "outside lower center" if outside else "upper right"
    legend = figure.legend(list(lines), ["?"] * len(names), loc=where, ncols=columns, frameon=False)
    # Set afterwards: matplotlib leaves out names that begin with "_".
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)
