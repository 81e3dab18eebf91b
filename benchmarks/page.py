"""The tables of docs/benchmarks.md, from the files that the benchmarks write.

python benchmarks/page.py bench.json [processes.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def shown(seconds: float) -> str:
    scale, unit = next((s, u) for s, u in UNITS if seconds >= s or u == "ns")
    return f"{seconds / scale:.3g} {unit}"


def steps(found: dict[str, Any]) -> list[str]:
    lines = ["| work | thinnet | how many times as fast as |", "| --- | --- | --- |"]
    for row in found["rows"]:
        systems = dict(row["systems"])
        ours = shown(systems.pop("thinnet")["seconds"]["median"])
        others = "; ".join(f"{name} {system['ratio']:.2f}" for name, system in systems.items())
        lines.append(f"| {row['title']} | {ours} per {row['unit']} | {others} |")
    return lines


def processes(found: dict[str, Any]) -> list[str]:
    lines = ["| figure | measured |", "| --- | --- |"]
    for figure in found["figures"]:
        measured = f"{figure['value']:.3g} {figure['unit']}".strip()
        lines.append(f"| {figure['title']} | {measured} |")
    return lines


def main(bench: str, whole: str | None = None) -> None:
    found = json.loads(Path(bench).read_text())
    print(", ".join(f"{name} {value}" for name, value in found["machine"].items()))
    print("", *steps(found), sep="\n")
    if whole is not None:
        print("", *processes(json.loads(Path(whole).read_text())), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
