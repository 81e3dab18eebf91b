"""A chain plotted as circles and lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.displays.axes import BLUE, ORANGE, SMALL, WIDE, as_written, signed_colours
from thinnet.displays.chains import Chain, Stage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST: Final = 4.0  # points, of the largest weight
MOST_LINES: Final = 400  # of the largest weights
PITCH: Final = 0.62  # inches between units, where there are few
TALLEST: Final = 7.0  # inches for units
NAMED: Final = 1.0  # inches for names of inputs
GREY: Final = "0.82"


class Look(NamedTuple):
    """How a graph is plotted: which units, names and texts it has, and the width of its lines.

    Without `off` the weights that are dropped are not shown.
    """

    max_units: int = 16
    inputs: Sequence[str] = ()
    texts: bool = True
    widest: float = WIDEST
    off: bool = True


class Room(NamedTuple):
    """The size of a graph in inches."""

    width: float
    height: float
    pitch: float
    left: float
    below: float
    above: float


def shown_units(chain: Chain, most: int) -> list[Array]:
    """The units of each stage that are shown: all, or those with the largest weights."""
    found = []
    for place, stage in enumerate(chain.stages):
        sizes = np.zeros(stage.units)
        for axis, at in ((1, place - 1), (0, place)):
            each = chain.weights[at] if 0 <= at < len(chain.weights) else None
            if each is not None and each.values is not None:
                sizes += np.square(each.values).sum(axis=axis)
        order = np.argsort(-sizes, kind="stable")[:most]
        found.append(np.sort(order))
    return found


def room_for(chain: Chain, look: Look) -> Room:
    """The size that a graph needs."""
    units = shown_units(chain, look.max_units)
    tallest = max(map(len, units))
    pitch = min(PITCH, TALLEST / tallest)
    named = look.texts and len(look.inputs) == chain.stages[0].units
    below, above = (0.75, 0.55) if look.texts else (0.05, 0.05)
    hidden = any(len(some) < stage.units for some, stage in zip(units, chain.stages, strict=True))
    below += 0.55 * (hidden and look.texts)
    height = max(tallest * pitch, 1.2) + below + above
    return Room(WIDE, height, pitch, NAMED if named else 0.1, below, above)


def axes_for(chain: Chain, axes: Sequence[Axes] | None, look: Look) -> Array:
    """The axes of yours, which must be one, or a new one."""
    if axes is not None:
        given = np.atleast_1d(np.asarray(axes, object)).ravel()
        checks.must(len(given) == 1, "axes", "one, for a graph", len(given))
        return given
    from matplotlib import pyplot as plt

    room = room_for(chain, look)
    figure = plt.figure(figsize=(room.width, room.height))
    return np.array([figure.add_axes((0, 0, 1, 1))], object)


def plot(ax: Axes, chain: Chain, look: Look, room: Room | None = None) -> None:
    """Plot a chain on an axes, whose numbers are then inches of the graph's own size."""
    room = room_for(chain, look) if room is None else room
    units = shown_units(chain, look.max_units)
    centres = _centres(units, room)
    gap = (room.width - room.left) / len(units)
    radius = 0.42 * min(room.pitch, 0.8 * gap)
    lines = _lines(ax, chain, units, centres, look)
    for stage, some, where in zip(chain.stages, units, centres, strict=True):
        _circles(ax, stage, some, where, radius)
    if look.texts:
        _texts(ax, chain, units, centres, room)
        _legend(ax, chain, lines)
        if len(look.inputs) == chain.stages[0].units:
            names = [look.inputs[unit] for unit in units[0]]
            for name, (x, y) in zip(names, centres[0], strict=True):
                at: dict[str, Any] = {"x": x - 1.3 * radius, "y": y, "ha": "right", "va": "center"}
                ax.text(**as_written(name, 10), **at, fontsize=SMALL)
    ax.set(xlim=(0, room.width), ylim=(0, room.height), aspect="equal", xticks=[], yticks=[])
    ax.set_axis_off()


def _centres(units: list[Array], room: Room) -> list[Array]:
    """The centre of each circle in inches, the first unit at the top."""
    gap = (room.width - room.left) / len(units)
    middle = room.below + (room.height - room.below - room.above) / 2
    found = []
    for place, some in enumerate(units):
        x = np.full(len(some), room.left + (place + 0.5) * gap)
        y = middle + room.pitch * ((len(some) - 1) / 2 - np.arange(len(some)))
        found.append(np.stack([x, y], axis=1))
    return found


def _lines(ax: Axes, chain: Chain, units: list[Array], centres: list[Array], look: Look) -> int:
    """A line for each of the largest weights, its width proportional to the weight's size."""
    ends, sizes, dropped = list[Array](), list[Array](), list[Array]()
    for place, each in enumerate(chain.weights):
        if each.values is None:
            continue
        some = np.ix_(units[place + 1], units[place])
        start, stop = centres[place], centres[place + 1]
        grid = np.stack(np.broadcast_arrays(start[None], stop[:, None]), axis=2)
        ends.append(grid.reshape(-1, 2, 2))
        sizes.append(each.values[some].ravel())
        dropped.append(each.dropped[some].ravel())
    if not ends:
        return 0
    all_ends, w, off = map(np.concatenate, (ends, sizes, dropped))
    order = np.argsort(-np.abs(w), kind="stable")[:MOST_LINES][::-1]
    widths = look.widest * np.abs(w) / chain.largest
    kinds = (
        ("dropped weight", off & look.off, GREY, "solid"),
        ("positive weight", ~off & (w > 0), BLUE, "solid"),
        ("negative weight", ~off & (w < 0), ORANGE, (0, (2.5, 1.2))),
    )
    for z, (label, chosen, colour, style) in enumerate(kinds):
        mine = order[chosen[order]]
        _collection(ax, all_ends[mine], widths[mine], label, colour, style, 1 + z / 10)
    return len(order)


def _collection(
    ax: Axes, ends: Array, widths: Array, label: str, colour: str, style: Any, z: float
) -> None:
    from matplotlib.collections import LineCollection

    lines = LineCollection(
        list(ends), linewidths=widths.tolist(), colors=colour, linestyles=[style],
        label=label, zorder=z, capstyle="butt",
    )  # fmt: skip
    ax.add_collection(lines, autolim=False)


def _circles(ax: Axes, stage: Stage, some: Array, centres: Array, radius: float) -> None:
    """The units, with their responses inside, and crosses over those that are dropped."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    crosses = []
    for unit, centre in zip(some, centres, strict=True):
        off = bool(stage.dropped[unit])
        circle = Circle(
            tuple(centre), radius, facecolor="white", edgecolor="0.6" if off else "black",
            linewidth=1.0, zorder=2,
        )  # fmt: skip
        ax.add_patch(circle)
        if stage.responses is not None:
            _response(ax, stage, unit, centre, circle)
        if off:
            d = 0.85 * radius * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]])
            crosses += [centre + d[:2], centre + d[2:]]
    lines = LineCollection(
        crosses, colors="black", linewidths=max(1.0, 9 * radius), label="dropped unit", zorder=4
    )
    ax.add_collection(lines, autolim=False)


def _response(ax: Axes, stage: Stage, unit: int, centre: Array, circle: Any) -> None:
    """The map of what a unit hands on, clipped to its circle."""
    assert stage.responses is not None
    values = stage.responses[unit]
    side = math.isqrt(len(values))
    if side * side != len(values):
        return
    largest = float(np.abs(stage.responses).max()) or 1.0
    r = circle.get_radius()
    image = ax.imshow(
        values.reshape(side, side), origin="lower", cmap=signed_colours(), vmin=-largest,
        vmax=largest, zorder=2.5, interpolation="nearest", aspect="equal",
        extent=(centre[0] - r, centre[0] + r, centre[1] - r, centre[1] + r),
    )  # fmt: skip
    image.set_clip_path(circle)
    ax.add_patch(type(circle)(tuple(centre), r, fill=False, lw=1.0, ec="black", zorder=3))


def _texts(ax: Axes, chain: Chain, units: list[Array], centres: list[Array], room: Room) -> None:
    """The name and size of each stage, what is left out, and what the lines mean."""
    many = len(units) > 5
    for stage, some, where in zip(chain.stages, units, centres, strict=True):
        name = stage.name.replace("hidden ", "").replace("put", "") if many else stage.name
        at: dict[str, Any] = {"x": where[0, 0], "ha": "center", "fontsize": SMALL}
        ax.text(s=f"{name}\n{stage.units:,}", y=room.height - 0.05, va="top", **at)
        if more := stage.units - len(some):
            lowest = float(where[:, 1].min()) - 0.5 * room.pitch
            ax.text(s=f"+ {more:,}", y=lowest - 0.05, va="top", **at)


def _legend(ax: Axes, chain: Chain, lines: int) -> None:
    """What lines and crosses mean, and how many of the weights are shown."""
    from matplotlib.lines import Line2D

    crossed = any(stage.dropped.any() for stage in chain.stages)
    n = sum(each.values.size for each in chain.weights if each.values is not None)

    handles = [
        Line2D([], [], color=BLUE, lw=2.5, label="weight > 0"),
        Line2D([], [], color=ORANGE, lw=2.5, ls=(0, (2.5, 1.2)), label="weight < 0"),
    ]
    if crossed:
        handles.append(
            Line2D([], [], color="black", marker="x", ls="", ms=9, mew=2, label="dropped")
        )
    some = f"{lines:,} of {n:,} weights" if lines < n else None
    ax.legend(
        handles=handles, loc="lower center", ncols=3, fontsize=SMALL, frameon=False,
        title=some, title_fontsize=SMALL,
        borderpad=0.1, columnspacing=1.2, handletextpad=0.5, handlelength=2.2,
    )  # fmt: skip
