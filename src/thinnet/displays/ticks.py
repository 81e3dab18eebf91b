"""Readable numbers along an axis, and legends that cover nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.ticker import Formatter, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

UNITS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
LONG: Final = 10_000  # from here on thousands are written as k
UNDER: Final = 0.5  # inches under an axis for its numbers and name


class Readable(Formatter):
    """Ticks such as 200k, 1.5M and 0.25, in place of 200000, 1.5 above a 1e6, and 0.250."""

    def __init__(self) -> None:
        self._among: Any = ()

    def set_locs(self, locs: Any) -> None:
        """Take the ticks of an axis, which get one unit and as many decimals as they need."""
        self._among = locs

    def format_ticks(self, values: Any) -> list[str]:
        """The texts of all ticks."""
        self.set_locs(values)
        return [self(value) for value in values]

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The text of one tick."""
        return _tick_text(x, *_unit_and_decimals(self._among if len(self._among) else [x]))


def _unit_and_decimals(values: Any) -> tuple[tuple[float, str], int]:
    there = np.unique(np.asarray(values, float))
    largest = float(np.abs(there).max())
    step = float(np.diff(there).min()) if len(there) > 1 else largest
    unit = _unit(largest)
    if step < unit[0] / 1000:  # the unit is too large for such steps
        unit = (1.0, "")
    return unit, _decimals(step / unit[0])


def _unit(largest: float) -> tuple[float, str]:
    return next((unit for unit in UNITS if largest >= max(unit[0], LONG)), (1.0, ""))


def _decimals(step: float) -> int:
    """The number of decimals that multiples of `step` need."""
    if not 0 < step < math.inf:
        return 0
    exact = (d for d in range(7) if math.isclose(round(step, d), step, rel_tol=1e-3))
    return next(exact, 7)


def _tick_text(x: float, unit: tuple[float, str], decimals: int) -> str:
    size, name = unit
    if x == 0:
        return "0"
    if decimals > 6:
        return f"{x:g}"
    comma = "," if abs(x) >= LONG else ""  # years have no comma
    return f"{x / size:{comma}.{decimals}f}{name}".replace("-", "\N{MINUS SIGN}")


def short(x: float) -> str:
    """A number of three digits: 35.3k, 0.134."""
    size, name = _unit(abs(x))
    return f"{float(f'{x / size:.3g}'):g}{name}"


def readable(*axes: Axis, dated: bool = False) -> None:
    """Give axes `Readable` ticks, or dates where they are days since 1970."""
    from matplotlib import dates

    for axis in axes:
        if dated:
            locator: Any = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
            axis.set_major_locator(locator)
            axis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        else:
            axis.set_major_formatter(Readable())


def logarithmic(axis: Axis) -> None:
    """Make an axis logarithmic, with numbers in place of powers."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    axis.set_minor_formatter(NullFormatter())


def both_alike(ax: Axes, values: Sequence[Any]) -> None:
    """Give both axes the same limits and ticks, so that equal numbers lie on the diagonal."""
    low = float(min(np.min(each) for each in values))
    high = float(max(np.max(each) for each in values))
    margin = 0.03 * (high - low) or 1.0
    ends = (low - margin, high + margin)
    ax.set(xlim=ends, ylim=ends, aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6))
    readable(ax.xaxis, ax.yaxis)


def legend(ax: Axes, **settings: Any) -> None:
    """Add a legend below the axes if the figure makes room there; else where it covers least."""
    if ax.figure.get_layout_engine() is None:
        ax.legend(loc="best", **settings)
        return
    from matplotlib.transforms import ScaledTranslation

    under = ScaledTranslation(0, -UNDER, ax.figure.dpi_scale_trans)
    where = {"bbox_to_anchor": (0.5, 0.0), "bbox_transform": ax.transAxes + under}
    ax.legend(**({"loc": "upper center", "frameon": False} | where | settings))


def powers(axis: Axis) -> None:
    """Ticks of a logarithmic axis at powers of ten, as plain text: 1e-5, 0.01, 100."""
    axis.set_major_locator(LogLocator(numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda x, _: _power(x)))
    axis.set_minor_formatter(NullFormatter())


def _power(x: float) -> str:
    if 1e-3 < x < 1e5:
        return f"{x:g}"
    return f"1e{math.log10(x):.0f}".replace("-", "\N{MINUS SIGN}")


def few(axis: Axis) -> None:
    """Three or four numbers along an axis of a small panel."""
    axis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda x, _: _brief(x)))


def whole(axis: Axis) -> None:
    """A few whole numbers along an axis of a small panel."""
    low, high = axis.get_data_interval()
    if low == high:
        axis.axes.set_xlim(low - 1, high + 1)
    axis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(Readable())


def _brief(x: float) -> str:
    return f"{x:.2g}".replace("e-0", "e-").replace("e+0", "e").replace("-", "\N{MINUS SIGN}")


def sizes(axis: Axis, values: Any) -> None:
    """A logarithmic vertical axis for positive values, with as many ticks as it has room for."""
    there = np.concatenate([np.asarray(each, float).ravel() for each in values])
    there = there[np.isfinite(there) & (there > 0)]
    if not there.size:
        readable(axis)
        return
    axis.axes.set_yscale("log")
    if there.max() > 100 * there.min():
        powers(axis)
        return
    logarithmic(axis)
    axis.set_major_formatter(FuncFormatter(lambda x, _: _brief(x) if x < 1e-3 else short(x)))
