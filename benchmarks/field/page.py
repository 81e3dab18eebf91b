"""What docs/tables.md shows of the thirty tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import geometric_mean
from typing import Any, Final

import numpy as np
from marked import renewed, table

from field import ranks
from field.figures import LEVELS, calibration_error
from field.results import FOLDER, Facts, Kept
from field.systems import BESIDE, OURS, SYSTEMS
from field.tables import FOLDS, KEPT_APART
from thinnet.atomic import write_atomically

PAGE: Final = Path(__file__).parents[2] / "docs" / "tables.md"
RIVAL_OF_SECONDS: Final = "LightGBM"
MANY_ROWS: Final = 5000  # from here on seconds are told beside LightGBM's
NOTHING: Final = "-"


class Field:
    """All results; ranks are of the systems that have been measured on all tables."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.kept = {system: Kept(system, folder) for system in (*SYSTEMS, *BESIDE)}
        self.facts = Facts(folder).tables
        self.measured = [system for system in SYSTEMS if self.tables(system)]
        whole = set(self.facts)
        self.ranked = [system for system in self.measured if set(self.tables(system)) == whole]

    def tables(self, *systems: str) -> list[str]:
        """Those that all of the systems have been measured on."""
        return [name for name in self.facts if all(self.has(system, name) for system in systems)]

    def has(self, system: str, name: str) -> bool:
        return len(self.kept[system].folds.get(name, ())) == FOLDS

    def figure(self, system: str, name: str, figure: str) -> float:
        """The mean over the folds; losses of numbers are in deviations of the target."""
        scale = self.facts[name]["spread"] if figure == "loss" else 1.0
        return self.kept[system].mean(name, figure) / scale

    def losses(self, system: str, tables: Sequence[str]) -> list[float]:
        return [self.figure(system, name, "loss") for name in tables]


def by_table(field: Field, figure: str, digits: int) -> str:
    """A line for each table; the best figure of the ranked systems is bold."""
    systems = [*field.measured, *(s for s in BESIDE if field.kept[s].folds)]
    lines = []
    for name in field.facts:
        found = {s: field.figure(s, name, figure) for s in systems if field.has(s, name)}
        first = min if figure == "loss" else max
        best = first((found[s] for s in field.measured if s in found), default=None)
        cells = (_cell(found.get(system), best, digits) for system in systems)
        lines.append([_title(field, name), *cells])
    return table(["table", *systems], lines)


def _cell(value: float | None, best: float | None, digits: int) -> str:
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return f"**{text}**" if value == best else text


def _title(field: Field, name: str) -> str:
    facts = field.facts[name]
    kind = f"{facts['classes']} classes" if facts["classes"] else "numbers"
    mark = "\\*" if name in KEPT_APART else ""
    return f"{name}{mark} ({facts['rows']:,} x {facts['columns']}, {kind})"


def standing(field: Field) -> str:
    """Mean ranks, our wins, calibration and seconds of each system."""
    apart = [name for name in field.facts if name in KEPT_APART]
    groups = [tables for tables in (list(field.facts), apart) if tables and field.ranked]
    head = ["system", *(f"mean rank, {len(tables)} tables" for tables in groups)]
    head += ["thinnet wins against it", "calibration error", *_heads_of_seconds()]
    means = [ranks.mean_ranks({s: field.losses(s, g) for s in field.ranked}) for g in groups]
    lines = []
    for system in field.measured:
        placed = (f"{mean[system]:.2f}" if system in mean else NOTHING for mean in means)
        rest = (_wins(field, system), _error(field, system), *_seconds(field, system))
        lines.append([system, *placed, *rest])
    differences = [ranks.critical_difference(len(field.ranked), len(g)) for g in groups]
    last = ["critical difference", *(f"{d:.2f}" for d in differences)]
    return table(head, [*lines, [*last, *[""] * (len(head) - len(last))]])


def _wins(field: Field, system: str) -> str:
    if system == OURS:
        return ""
    both = field.tables(OURS, system)
    pair = (field.losses(each, both) for each in (OURS, system))
    return f"{ranks.wins(*pair):g} of {len(both)}"


def _error(field: Field, system: str) -> str:
    """The mean of the expected calibration errors of tables of classes, ours of the same ones."""
    of_classes = [name for name in field.tables(OURS, system) if field.facts[name]["classes"]]
    if not of_classes:
        return NOTHING
    theirs, ours = (
        np.mean([calibration_error(field.kept[each].folds[name]) for name in of_classes])
        for each in (system, OURS)
    )
    return f"{theirs:.4f}" if system in field.ranked else f"{theirs:.4f} (thinnet's {ours:.4f})"


def _heads_of_seconds() -> list[str]:
    many = f"tables of {MANY_ROWS:,} rows and more"
    return [
        f"seconds, times {RIVAL_OF_SECONDS}'s, {many}: geometric mean, largest",
        "largest seconds of the others",
    ]


def _seconds(field: Field, system: str) -> list[str]:
    ours, theirs = field.kept[system].seconds, field.kept[RIVAL_OF_SECONDS].seconds
    both = [name for name in field.facts if name in ours and name in theirs]
    many = [name for name in both if field.facts[name]["rows"] >= MANY_ROWS]
    few = [ours[name]["fit"] for name in both if name not in many]
    times = [ours[name]["fit"] / theirs[name]["fit"] for name in many]
    return [
        f"{geometric_mean(times):.1f}, {max(times):.1f}" if times else NOTHING,
        f"{max(few):.1f}" if few else NOTHING,
    ]


def seconds(field: Field) -> str:
    systems = [s for s in field.kept if field.kept[s].seconds]
    lines = []
    for name in field.facts:
        found = (field.kept[system].seconds.get(name) for system in systems)
        lines.append([name, *(NOTHING if f is None else f"{f['fit']:.2f}" for f in found)])
    return table(["table", *systems], lines)


def intervals(field: Field) -> str:
    """The part of the rows of all folds that our intervals hold."""
    head = ["table", *(f"{level:.0%}" for level in LEVELS), "interval score", "uncalibrated"]
    ours, lines = field.kept[OURS].folds, []
    for name, facts in field.facts.items():
        if facts["classes"] or not field.has(OURS, name):
            continue
        rows = sum(fold["rows"] for fold in ours[name])
        held = np.sum([fold["held"] for fold in ours[name]], axis=0) / rows
        scores = (_mean_score(ours[name], each) for each in ("interval_score", "uncalibrated"))
        cells = (f"{score / facts['spread']:.3f}" for score in scores)
        lines.append([name, *(f"{part:.3f}" for part in held), *cells])
    return table(head, lines)


def _mean_score(folds: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.average([f[name] for f in folds], weights=[f["rows"] for f in folds]))


def parts(field: Field) -> dict[str, str]:
    return {
        "standing": standing(field),
        "losses": by_table(field, "loss", 4),
        "scores": by_table(field, "score", 3),
        "seconds": seconds(field),
        "intervals": intervals(field),
    }


def write(page: Path = PAGE, folder: Path = FOLDER) -> None:
    text = renewed(page.read_text("utf-8"), parts(Field(folder)))
    write_atomically(page, text.encode())
