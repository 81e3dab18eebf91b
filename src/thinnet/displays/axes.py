"""The axes and the colours of plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE: Final = "#0072B2"  # Okabe and Ito's, distinct for the colour blind too
ORANGE: Final = "#D55E00"
BAR: Final[dict[str, Any]] = {"align": "edge", "edgecolor": "white"}


def ax_or_new(ax: Axes | None, size: tuple[float, float]) -> tuple[Any, Any]:
    """`ax`, or a new one of this size in inches, and its figure."""
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax, ax.figure
