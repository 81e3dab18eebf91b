"""A model's predictions over a plane, and how they are coloured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.displays.axes import SMALL, label_axes, shortened
from thinnet.displays.inputs import far_from_training
from thinnet.displays.maps import COLOURS, SHAPES, borders
from thinnet.displays.models import Model
from thinnet.displays.planes import Plane
from thinnet.uncertainty.draws import measures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MOST_NUMBERS: Final = 2**22  # of draws that are held at once
PALEST: Final = 0.75  # of a class's colour where the class is sure


class DrawnSurface(NamedTuple):
    """The mean of draws over a plane, shape (y, x, classes or 1), and their spread, (y, x)."""

    mean: Array
    spread: Array


def clean_surface(model: Model, plane: Plane) -> Array:
    """Predictions with dropout off, shape (y, x, classes or 1)."""
    with far_from_training():
        return model.clean(plane.rows).reshape(*plane.shape, -1)


def drawn_surface(model: Model, plane: Plane, n_draws: int) -> DrawnSurface:
    """The mean of draws, and of classes the entropy of that mean, of numbers the deviation."""
    means, spreads = list[Array](), list[Array]()
    width = 1 if model.labels is None else len(model.labels)
    step = max(1, MOST_NUMBERS // (n_draws * width))
    for start in range(0, len(plane.rows), step):
        with far_from_training():
            draws = model.sample(plane.rows[start : start + step], n_draws)
        means.append(draws.mean(axis=0))
        of_classes = model.labels is not None
        spreads.append(measures.predictive_entropy(draws) if of_classes else draws.std(axis=0))
    return DrawnSurface(
        np.concatenate(means).reshape(*plane.shape, -1),
        np.concatenate(spreads).reshape(plane.shape),
    )


def class_colours(n: int) -> Array:
    """A colour for each class, shape (n, 3); they repeat after seven."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(n)])


def shades(p: Array) -> Array:
    """The colour of the most probable class, the paler the less probable, shape (..., 3)."""
    n = p.shape[-1]
    sure = (p.max(axis=-1) - 1 / n) / (1 - 1 / n) if n > 1 else np.ones(p.shape[:-1])
    colours = class_colours(n)[p.argmax(axis=-1)]
    return 1 - PALEST * np.clip(sure, 0, 1)[..., None] * (1 - colours)


def image(ax: Axes, x: Array, y: Array, values: Array, **look: Any) -> AxesImage:
    """Plot values (y, x), or colours (y, x, 3), whose centres lie at the points of the grid."""
    dx, dy = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    whole = (x[0] - dx, x[-1] + dx, y[0] - dy, y[-1] + dy)
    found = ax.imshow(
        values, origin="lower", extent=whole, aspect="auto", interpolation="nearest", **look
    )
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return found


def surface(ax: Axes, x: Array, y: Array, values: Array, limits: tuple[float, float]) -> AxesImage:
    """Plot classes with the borders between them, or numbers."""
    if values.shape[-1] > 1:
        found = image(ax, x, y, shades(values))
        borders(ax, x, y, values)
        return found
    return image(ax, x, y, values[..., 0], cmap="cividis", vmin=limits[0], vmax=limits[1])


def shared_limits(*values: Array) -> tuple[float, float]:
    """The least and the greatest number of several surfaces."""
    return min(float(each.min()) for each in values), max(float(each.max()) for each in values)


def class_points(ax: Axes, X: Array, y: Array | None, labels: Array | None) -> None:
    """Plot rows as points; of classes each in its colour, and a shape of its own."""
    look: dict[str, Any] = {"s": 16, "edgecolors": "white", "linewidths": 0.7, "zorder": 3}
    if labels is None or y is None:
        ax.scatter(*X.T, color="black", **look | {"s": 8, "linewidths": 0.3})
        return
    for k, label in enumerate(labels):
        ax.scatter(*X[y == label].T, color=COLOURS[k % len(COLOURS)], marker=shape(k), **look)


def shape(k: int) -> str:
    """The shape of class k's points: a colour that comes again has another shape."""
    return SHAPES[(k + k // len(COLOURS)) % len(SHAPES)]


def class_legend(figure: Any, labels: Array, *, shaped: bool) -> None:
    """A legend of the classes under a figure."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=COLOURS[k % len(COLOURS)], marker=shape(k) if shaped else "s", ls="", ms=7
        )
        for k in range(len(labels))
    ]
    found = figure.legend(
        handles, ["class"] * len(labels), loc="outside lower center",
        ncols=min(len(labels), 4), fontsize=SMALL, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
    # Set behind the legend's back: a label that begins with _ would be left out.
    for text, label in zip(found.get_texts(), labels, strict=True):
        text.set(text=shortened(str(label), 14), parse_math=False)


def names_of_plane(ax: Axes, names: tuple[str, str], dated: tuple[bool, ...]) -> None:
    """Name the axes, with readable numbers."""
    from matplotlib.ticker import MaxNLocator

    from thinnet.displays import ticks

    label_axes(ax, *names)
    for axis, days in zip((ax.xaxis, ax.yaxis), dated, strict=True):
        axis.set_major_locator(MaxNLocator(3))
        ticks.readable(axis, dated=days)


def colour_bar(image: AxesImage, axes: Any, name: str) -> None:
    """Plot what the colours of an image stand for, under one axes or several."""
    from matplotlib.ticker import MaxNLocator

    from thinnet.displays import ticks

    figure: Any = image.axes.figure
    wide = isinstance(axes, list) and len(axes) > 1
    bar = figure.colorbar(image, ax=axes, location="bottom", aspect=30 if wide else 15)
    bar.set_label(name, fontsize=SMALL, parse_math=False)
    bar.ax.tick_params(labelsize=SMALL)
    bar.ax.xaxis.set_major_locator(MaxNLocator(4))
    ticks.readable(bar.ax.xaxis)
