"""Decision surfaces: the classes that networks predict over the plane of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import softmax

from thinnet.arrays import Array
from thinnet.commands.comparison.training import Outcome
from thinnet.datasets import Split
from thinnet.displays.maps import COLOURS, borders, points
from thinnet.displays.saving import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESOLUTION: Final = 300
MARGIN: Final = 0.05  # relative to the range of the test rows, on each side
MOST_POINTS: Final = 400  # more would hide each other


def decision_surface(
    name: str, outcomes: Sequence[Outcome], split: Split, path: Path
) -> Path | None:
    """Save the classes over the plane side by side, test rows on them; None without two inputs."""
    from matplotlib.figure import Figure

    if split.X_test.shape[1] != 2:
        return None
    figure = Figure(figsize=(1 + 5 * len(outcomes), 5.2), layout="constrained")
    figure.suptitle(
        f"{name}: {len(split.y_train):,} training rows, {_rows_text(len(split.y_test))}"
    )
    panels = figure.subplots(1, len(outcomes), sharex=True, sharey=True, squeeze=False)[0]
    for axes, outcome in zip(panels, outcomes, strict=True):
        _panel(axes, outcome, split)
    panels[-1].legend(title="test rows\nof class", loc="upper left", bbox_to_anchor=(1, 1))
    return save_figure(figure, path)


def _rows_text(rows: int) -> str:
    return f"{MOST_POINTS} of {rows:,} test rows" if rows > MOST_POINTS else f"{rows:,} test rows"


def _panel(axes: Axes, outcome: Outcome, split: Split) -> None:
    (left, bottom), (right, top) = _ends(split.X_test)
    x, y = np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
    plane = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    p = softmax(outcome.network.outputs(plane), axis=1).reshape(RESOLUTION, RESOLUTION, -1)
    axes.imshow(_mixed(p), extent=(left, right, bottom, top), origin="lower", aspect="equal")
    borders(axes, x, y, p)
    some = np.random.default_rng(0).permutation(len(split.y_test))[:MOST_POINTS]
    points(axes, split.X_test[some], split.y_test[some])
    axes.set(title=f"{outcome.name}: {outcome.test_score:.4f} of the test rows are right",
             xlabel="x0", ylabel="x1")  # fmt: skip


def _ends(X: Array) -> Array:
    low, high = X.min(axis=0), X.max(axis=0)
    return np.stack([low, high]) + MARGIN * (high - low) * [[-1], [1]]


def _mixed(p: Array) -> Array:
    """The classes' colours, paler where the network is less sure."""
    from matplotlib.colors import to_rgb

    colours = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(p.shape[-1])])
    sure = (p.max(axis=-1, keepdims=True) - 1 / p.shape[-1]) / (1 - 1 / p.shape[-1])
    return 1 - 0.55 * sure * (1 - colours[p.argmax(axis=-1)])
