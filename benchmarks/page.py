"""The tables, words and picture of docs/benchmarks.md, from the files in benchmarks/results.

    python benchmarks/page.py

Each table stands between two markers (marked.py); the text around them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import picture
from amounts import range_text, ratio_text, shown
from marked import renewed, table
from results import FOLDER, Best, Kind, Results, best, read
from rows import ROWS

from thinnet.atomic import write_atomically

DOCS = Path(__file__).parents[1] / "docs"
WAYS = {  # how a library's fastest way differs from the usual one
    "torch.compile": "compiled",
    "torch thinned": "index_select",
    "jax scanned": "scanned",
    "jax shared masks": "shared masks",
    "copy, one thread": "one thread",
    "copy, all threads": "all threads",
}
NOTHING = "not measured"
Kinds = Mapping[Kind, Results]


def side_by_side(name: str, kinds: Kinds, part: str, cell: Callable[[Any], str]) -> str:
    """A line for each title that any kind of machine has, in the order of the first that has it."""
    parts = {kind: getattr(results, part) for kind, results in kinds.items()}
    parts = {kind: found for kind, found in parts.items() if found}
    titles = list(dict.fromkeys(title for found in parts.values() for title in found))
    lines = (
        [title, *(cell(found[title]) if title in found else NOTHING for found in parts.values())]
        for title in titles
    )
    return table([name, *(kind.title for kind in parts)], lines)


def speed(kinds: Kinds) -> str:
    """A table for each number of threads, the kinds of machines side by side."""
    parts = []
    for threads in sorted({kind.threads for kind in kinds}, reverse=True):
        alike = {kind: found for kind, found in kinds.items() if kind.threads == threads}
        if any(found.rows for found in alike.values()):
            parts.append(side_by_side("work", alike, "rows", _row))
    return "\n\n".join(parts)


def _row(row: Mapping[str, Any]) -> str:
    """Our time, and below it how many times that is as fast as each library at its best."""
    ours = row["systems"]["thinnet"]["seconds"]
    article = "an" if row["unit"][0] in "aeiou" else "a"
    lines = [f"**{shown(ours['median'])}** {article} {row['unit']}"]
    lines.append(f"({range_text(ours['low'], ours['high'])})")
    lines += (_other(family, found) for family, found in best(row).items())
    return "<br>".join(lines)


def _other(family: str, found: Best) -> str:
    way = f", {WAYS[found.way]}" if found.way in WAYS else ""
    return f"{family}{way}: {ratio_text(found.system)}"


def words(kinds: Kinds) -> str:
    """What the figures of the first kind mean, in amounts of work that one can picture."""
    kind, results = next(iter(kinds.items()))
    amounts = {row.title: row.amount for row in ROWS}
    lines = [
        f"- {title}: {_sentence(row, amounts[title].units, amounts[title].name)}."
        for title, row in results.rows.items()
        if title in amounts
    ]
    return "\n".join([f"On {kind.title}:", "", *lines])


def _sentence(row: Mapping[str, Any], units: float, name: str) -> str:
    def taken(system: Mapping[str, Any]) -> str:
        return shown(system["seconds"]["median"] * units)

    others = ", ".join(f"{family} {taken(found.system)}" for family, found in best(row).items())
    verb = "take" if name[0].isdigit() else "takes"
    return f"{name} {verb} {taken(row['systems']['thinnet'])}; {others}"


def beside_scikit_learn(kinds: Kinds) -> str:
    return side_by_side("data, type", kinds, "fits", _fit)


def _fit(fit: Mapping[str, Any]) -> str:
    ours, theirs = (fit["systems"][name] for name in ("thinnet", "scikit-learn"))
    scores = f"{ours['check']:.5f}, {theirs['check']:.5f}".replace("0.", ".")
    seeds = "1 seed" if fit["seeds"] == 1 else f"{fit['seeds']} seeds"
    return f"**{ratio_text(theirs)}**<br>{scores} ({seeds})"


def processes(kinds: Kinds) -> str:
    return side_by_side("figure", kinds, "figures", _figure)


def _figure(figure: Mapping[str, Any]) -> str:
    value = f"{figure['value']:.3g} {figure['unit']}".strip()
    if figure.get("low", figure["value"]) == figure.get("high", figure["value"]):
        return value
    return f"{value} ({figure['low']:.3g} to {figure['high']:.3g})"


def beside_others(kinds: Kinds) -> str:
    return side_by_side("where", kinds, "places", _fits_there)


def _fits_there(fits: Mapping[str, Mapping[str, Any]]) -> str:
    """Of each fit how many times as long it takes there as alone."""
    return "<br>".join(f"**{ratio_text(fit)}** {title}" for title, fit in fits.items())


def machines(kinds: Kinds) -> str:
    head = ("machine", "cores", "MHz", "measured", "versions", "left out")
    lines = ([kind.title, *_machine(results.machines)] for kind, results in kinds.items())
    return table(head, lines)


def _machine(found: list[dict[str, Any]]) -> list[str]:
    """Of several records what they say together."""
    frequencies = (str(each.get("MHz", "")) for each in found)
    without = (name for each in found for name in each.get("options", {}).get("without", ()))
    versions = (f"{n} {v}" for each in found for n, v in each.get("versions", {}).items())
    columns = (
        (str(each.get("cores", "")) for each in found),
        frequencies,
        (each.get("date", "") for each in found),
        versions,
        without,
    )
    return [", ".join(dict.fromkeys(filter(None, column))) for column in columns]


TABLES: Mapping[str, Callable[[Kinds], str]] = {
    "speed": speed,
    "words": words,
    "scikit-learn": beside_scikit_learn,
    "beside others": beside_others,
    "processes": processes,
    "machines": machines,
}


def parts(kinds: Kinds) -> dict[str, str]:
    return {name: make(kinds) for name, make in TABLES.items()}


def main(folder: Path = FOLDER, docs: Path = DOCS) -> None:
    kinds, page = read(folder.glob("*.json")), docs / "benchmarks.md"
    write_atomically(page, renewed(page.read_text("utf-8"), parts(kinds)).encode())
    write_atomically(docs / "images" / "benchmarks.png", picture.png(*next(iter(kinds.items()))))


if __name__ == "__main__":
    main()
