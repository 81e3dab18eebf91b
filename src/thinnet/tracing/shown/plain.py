"""A trace as text in columns, in colours where the terminal has them."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from rich.text import Text

from thinnet.formulas.naming import text
from thinnet.formulas.plain import formula_text, number
from thinnet.formulas.quantities import Kind
from thinnet.tracing.contents import Contents
from thinnet.tracing.numbers import GIVEN, Number
from thinnet.tracing.sections import Section
from thinnet.tracing.summaries import Summary

LARGEST: Final = 5  # numbers of an array that are shown of one unit beside the summary
STYLES: Final[dict[Kind, str]] = {
    "parameter": "cyan",
    "mask": "magenta",
    "random": "magenta",
    "gradient": "yellow",
    "update": "green",
    "loss": "bold",
}


def page(trace: Contents) -> Text:
    """All sections, below the names of their phases."""
    found = Text()
    for phase, sections in groupby(trace.sections, key=lambda section: section.phase):
        parts = [part for part in (_section(trace, section) for section in sections) if part]
        if parts:
            found.append("\n\n" if found else "").append(phase, "bold reverse").append("\n\n")
            found.append(Text("\n\n").join(parts))
    return found


def _section(trace: Contents, section: Section) -> Text | None:
    shown = list(trace.shown(section))
    if not shown:
        return None
    wide = max(len(_name(one)) for one in shown)
    found = Text(section.title, style="bold", end="")
    whole = Text().append_text(found)
    for one in shown:
        if isinstance(one, Number):
            _number(whole, one, wide)
        else:
            _summary(whole, one, wide, trace.shows_one_unit)
    return whole


def _name(one: Number | Summary) -> str:
    return one.name if isinstance(one, Number) else text(one.quantity.key)


def _number(whole: Text, one: Number, wide: int, indent: int = 2) -> None:
    style = STYLES.get(one.kind, "")
    whole.append("\n" + " " * indent).append(f"{one.name:<{wide}}", style).append(" = ")
    *sides, value = one.sides
    for side, shade in zip(sides, ("", "dim"), strict=False):
        whole.append(side, shade).append(" = ", "dim")
    whole.append(value, "bold")
    if one.tree is None and one.kind not in GIVEN:
        whole.append("  (no formula)", "dim")


def _summary(whole: Text, one: Summary, wide: int, with_largest: bool) -> None:
    quantity = one.quantity
    style = STYLES.get(quantity.kind, "")
    name, size = _name(one), " x ".join(map(str, one.shape))
    whole.append("\n  ").append(f"{name:<{wide}}", style).append(f" {size} numbers: ")
    whole.append(words(one))
    if one.is_constant:
        return
    if quantity.whole is not None:
        formula = formula_text(quantity.whole, lambda leaf: text(leaf.known.key))
        whole.append(f"\n  {'':<{wide}}   = {formula}")
    elif quantity.element is not None:
        example = one.largest(1)[0]
        whole.append(f"\n  {'':<{wide}}   such as {example.name} = {example.formula}")
    elif quantity.kind not in GIVEN:
        whole.append("  (no formula)", "dim")
    for number_of in one.largest(LARGEST) if with_largest else ():
        _number(whole, number_of, len(number_of.name), indent=wide + 5)


def words(one: Summary) -> str:
    """Mean, deviation, least and greatest number and the share of zeros, in one line."""
    found = one.statistics
    if one.is_constant:
        return f"all {number(found['least'], 4)}"
    zeros = found.pop("zeros")
    parts = [f"{name} {number(value, 4)}" for name, value in found.items()]
    return ", ".join([*parts, f"{zeros:.1%} zeros"])
