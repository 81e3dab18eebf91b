"""A chain plotted as an image of each layer's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.displays.axes import SMALL, signed_colours
from thinnet.displays.chains import Chain
from thinnet.displays.surfaces import colour_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DROPPED: Final = "0.72"
HEIGHT: Final = 2.6  # inches of a matrix


def plot(chain: Chain, axes: Sequence[Axes] | None, width: float) -> Array:
    """Plot the matrices on one scale; what is dropped is grey."""
    shown = [
        (i, each, each.values) for i, each in enumerate(chain.weights) if each.values is not None
    ]
    checks.must(bool(shown), "network", "one with layers that have weights", "none")
    n = len(shown)
    grid = _new(n, width) if axes is None else np.asarray(axes, object).ravel()
    checks.must(len(grid) == n, "axes", f"{n}, one a matrix", len(grid))
    for ax, (place, each, values) in zip(grid, shown, strict=True):
        image = _matrix(ax, chain, place, np.ma.masked_where(each.dropped, values))
    off = any(each.dropped.any() for _, each, _ in shown)
    colour_bar(image, list(grid), "weight (grey: dropped)" if off else "weight")
    return grid


def _new(n: int, width: float) -> Array:
    from matplotlib import pyplot as plt

    columns = min(n, 2)
    rows = -(-n // columns)
    size = (width, HEIGHT * rows + 1.1)
    _, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for ax in grid.ravel()[n:]:
        ax.remove()
    return grid.ravel()[:n]


def _matrix(ax: Any, chain: Chain, place: int, values: Any) -> Any:
    colours = signed_colours().with_extremes(bad=DROPPED)
    image = ax.imshow(
        values, cmap=colours, vmin=-chain.largest, vmax=chain.largest, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    before, behind = chain.stages[place], chain.stages[place + 1]
    ax.set_title(
        f"layer {chain.weights[place].layer}: {behind.units:,} x {before.units:,}", fontsize=SMALL
    )
    ax.set_xlabel(before.name, fontsize=SMALL)
    ax.set_ylabel(behind.name, fontsize=SMALL)
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True, nbins=4)
    return image
