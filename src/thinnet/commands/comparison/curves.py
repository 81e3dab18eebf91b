"""Learning curves without and with dropout, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet.commands.comparison.training import WITH, WITHOUT, Outcome
from thinnet.displays.saving import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = {WITHOUT: "#D55E00", WITH: "#0072B2"}  # Okabe and Ito's
# What a curve is of, and its lines without and with dropout: each of a style of its own.
KINDS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("validation_", "test", {WITHOUT: (0, (6, 2)), WITH: "-"}),
    ("clean_", "training, dropout off", {WITHOUT: "-.", WITH: (0, (3, 1.5))}),
    ("", "training, dropout on", {WITH: ":"}),
)


def learning_curves(title: str, outcomes: Sequence[Outcome], path: Path) -> Path | None:
    """Save losses and scores over the epochs; the path, or None where no epoch was completed."""
    from matplotlib.figure import Figure

    from thinnet.displays.ticks import logarithmic

    outcomes = [outcome for outcome in outcomes if len(outcome.history)]
    if not outcomes:
        return None
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    figure.suptitle(title)
    losses, scores = figure.subplots(1, 2)
    for axes, what, name in (
        (losses, "loss", "loss"),
        (scores, "score", outcomes[0].history.score_name),
    ):
        for outcome in reversed(outcomes):
            _plot(axes, outcome, what)
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
    losses.set_yscale("log")
    logarithmic(losses.yaxis)
    _near_the_top(scores, outcomes)
    figure.legend(*losses.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return save_figure(figure, path)


def _near_the_top(scores: Axes, outcomes: Sequence[Outcome]) -> None:
    """Limit the axis to the upper scores: the first epochs lie far below the rest."""
    low = min(np.quantile(o.history["validation_score"], 0.1) for o in outcomes)
    high = max(o.history[c].max() for o in outcomes for c in ("clean_score", "validation_score"))
    span = (high - low) or 1.0
    scores.set_ylim(low - 0.2 * span, high + 0.05 * span)


def _plot(axes: Axes, outcome: Outcome, what: str) -> None:
    history = outcome.history
    for prefix, label, styles in KINDS:
        if outcome.name in styles:
            axes.plot(
                history["epoch"] + 1,
                history[f"{prefix}{what}"],
                color=COLOURS[outcome.name],
                linestyle=styles[outcome.name],
                linewidth=2.0 if label == "test" else 1.3,
                marker="." if len(history) < 3 else "",
                label=f"{outcome.name}: {label}",
            )
