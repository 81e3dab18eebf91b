"""The axes, the colours and the letters of plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

BLUE: Final = "#0072B2"  # Okabe and Ito's, distinct for the colour blind too
ORANGE: Final = "#D55E00"
BAR: Final[dict[str, Any]] = {"align": "edge", "edgecolor": "white"}
WIDE: Final = 6.3  # inches, 160 mm: printed at half of it, 80 mm ...
SMALL: Final = 12  # ... letters of so many points have 6
LONGEST: Final = 24  # letters of a label


def ax_or_new(ax: Axes | None, size: tuple[float, float]) -> tuple[Any, Any]:
    """`ax`, or a new one of this size in inches, and its figure."""
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax, ax.figure


def signed_colours(negative: str = ORANGE, positive: str = BLUE) -> Colormap:
    """From one colour through white to another, for numbers around 0."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [negative, "white", positive])


def as_written(text: Any, longest: int = LONGEST) -> dict[str, Any]:
    """The arguments of a text that shows a name letter by letter: `$x$` is no formula."""
    return {"s": shortened(str(text), longest), "parse_math": False}


def label_axes(ax: Axes, x: str, y: str) -> None:
    """Name both axes as written."""
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        axis.set_label_text(shortened(name), fontsize=SMALL, parse_math=False)
    ax.tick_params(labelsize=SMALL)


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text in one line, of so many letters at most."""
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
