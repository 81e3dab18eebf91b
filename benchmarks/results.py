"""The files that the benchmarks wrote, put together: what each kind of machine took for what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "results"
ZEN = re.compile(r"^znver(\d)$")
NOISE = re.compile(r"\((R|TM)\)|\bCPU\b|\bProcessor\b|\b\d+-Core\b|@.*$")
FAMILIES = {  # ways to do the same with one library; the fastest is shown
    "PyTorch": ("torch", "torch.compile", "torch thinned"),
    "JAX": ("jax", "jax scanned", "jax shared masks"),
    "Keras": ("keras",),
    "scikit-learn": ("scikit-learn",),
    "a copy": ("copy, one thread", "copy, all threads"),
    "without dropout": ("thinnet without dropout",),
}


class Kind(NamedTuple):
    """A column of the page."""

    processor: str
    held: bool  # to fewer instructions than it has
    threads: int
    instructions: str

    @property
    def title(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        what = f"held to {self.instructions}" if self.held else self.instructions
        return f"{self.processor}, {what}, {threads}"


@dataclass
class Results:
    """Of one kind of machine, by the titles of what was measured."""

    machines: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    fits: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # each of its fits

    def add(self, found: Mapping[str, Any]) -> None:
        self.machines.append(found["machine"])
        self.rows |= {row["title"]: row for row in found.get("rows", ())}
        self.fits |= {f"{fit['title']}, {fit['dtype']}": fit for fit in found.get("fits", ())}
        self.figures |= {figure["title"]: figure for figure in found.get("figures", ())}
        for place in found.get("places", ()):
            self.places.setdefault(place["title"], {})[place["fit"]] = place


class Best(NamedTuple):
    """The fastest way to do a row with one library, and what was measured of it."""

    way: str
    system: dict[str, Any]


def read(files: Iterable[Path]) -> dict[Kind, Results]:
    """Of a row that was measured twice the later file counts; machines as they are, then held."""
    found = [json.loads(path.read_text()) for path in sorted(files)]
    found.sort(key=lambda each: each["machine"].get("date", ""))
    kinds: dict[Kind, Results] = {}
    for each in found:
        kinds.setdefault(kind_of(each["machine"]), Results()).add(each)
    return dict(sorted(kinds.items(), key=lambda pair: _place(pair[0])))


def _place(kind: Kind) -> tuple[Any, ...]:
    return kind.held, kind.processor, -kind.threads


def kind_of(machine: Mapping[str, Any]) -> Kind:
    name = machine.get("llvm") or machine["processor"].partition(",")[0]
    model = " ".join(NOISE.sub(" ", machine.get("model", "")).split())
    core = machine.get("core") or ZEN.sub(r"Zen \1", name)
    processor = f"{model} ({core})" if model else core
    held = "held to" in machine["processor"]
    return Kind(processor, held, int(machine["threads"]), machine.get("instructions", "AVX-512"))


def best(row: Mapping[str, Any]) -> dict[str, Best]:
    """For each library that took part, by its name."""
    systems = row["systems"]
    found = {}
    for family, ways in FAMILIES.items():
        there = [way for way in ways if way in systems]
        if there:
            fastest = min(there, key=lambda way: systems[way]["ratio"])
            found[family] = Best(fastest, systems[fastest])
    return found
