"""The picture of docs/benchmarks.md: five works, each with a bar for every library's time."""

from __future__ import annotations

import io
from typing import Any

from amounts import factor, shown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from results import Kind, Results, best
from rows import QUICK

OURS, THEIRS = "#0b6fb8", "#b8bcc2"
SHOWN = ("PyTorch", "JAX")
SIZE = (6.4, 6.6)  # inches, of 150 points each: it is read at about 600 points
TALLEST = 0.72
COLOURS = 32


def bars(row: dict[str, Any]) -> list[tuple[str, float, str]]:
    """Of ourselves and the others at their best: name, seconds, how many times as long as we."""
    found = [("thinnet", row["systems"]["thinnet"]["seconds"]["median"], "")]
    for name, (_, system) in best(row).items():
        if name in SHOWN:
            longer = f"{factor(system['ratio'])} x as long"
            found.append((name, system["seconds"]["median"], longer))
    return found


def figure(kind: Kind, results: Results) -> Figure:
    """Each work has a scale of its own, from 0: shorter is faster."""
    rows = [results.rows[title] for title in QUICK if title in results.rows]
    heights = [len(bars(row)) + 1 for row in rows]
    made = Figure(SIZE, dpi=150, layout="constrained")
    axes = made.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    made.suptitle(message(rows), x=0.02, ha="left", fontsize=14, fontweight="bold")
    for ax, row in zip(axes, rows, strict=True):
        _panel(ax, row)
    made.supxlabel(f"Time for the same work: shorter is faster. {kind.title}.", fontsize=9)
    return made


def message(rows: list[dict[str, Any]]) -> str:
    ratios = [
        found.system["ratio"] for row in rows for name, found in best(row).items() if name in SHOWN
    ]
    others = " and ".join(SHOWN)
    low, high = (factor(found) for found in (min(ratios), max(ratios)))
    return f"On a CPU thinnet is {low} to {high} times\nas fast as {others}"


def _panel(ax: Axes, row: dict[str, Any]) -> None:
    found, (units, name) = bars(row), QUICK[row["title"]]
    longest = max(seconds for _, seconds, _ in found)
    ax.set_title(name, loc="left", fontsize=11)
    for place, (_, seconds, ratio) in enumerate(found):
        ax.barh(place, seconds, TALLEST, color=THEIRS if ratio else OURS)
        text = shown(seconds * units, digits=2)
        after = f"{text}    {ratio}" if ratio else text
        ax.text(seconds + longest * 0.015, place, after, va="center", fontsize=10)
    ax.set_yticks(range(len(found)), [name for name, *_ in found], fontsize=10)
    ax.set_xlim(0, longest * 1.42)
    ax.set_xticks([])
    ax.invert_yaxis()
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(left=False)


def png(kind: Kind, results: Results) -> bytes:
    """In few colours, so that the file is small."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure(kind, results).savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
