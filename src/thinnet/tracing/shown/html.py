"""A trace as HTML without scripts: sections that open and close, tables, formulas in MathML."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from thinnet.console.documents import document
from thinnet.console.markup import Markup, joined, table, tag
from thinnet.formulas.mathml import formula_mathml, math, name_mathml, number_mathml
from thinnet.formulas.trees import Ref
from thinnet.tracing.contents import Contents
from thinnet.tracing.numbers import GIVEN, Number
from thinnet.tracing.sections import Section
from thinnet.tracing.shown.plain import LARGEST
from thinnet.tracing.shown.styles import STYLE
from thinnet.tracing.summaries import Summary

TITLE: Final = "A step with all its numbers"
PHASES: Final = {
    "forward": "Forward",
    "loss": "The loss",
    "backward": "Backward",
    "update": "The update",
}
HEADS: Final = ("number", "value", "formula", "with numbers", "kind")
OF_ARRAYS: Final = ("array", "formula", "numbers", "mean", "deviation", "least", "greatest",
                    "zeros")  # fmt: skip


def page(trace: Contents, title: str = TITLE) -> str:
    """A whole page."""
    parts = (tag("h1", title), sections(trace))
    return document(title, parts, STYLE, "thinnet-trace")


def fragment(trace: Contents) -> str:
    """For a cell of a notebook."""
    return joined([Markup(f"<style>{STYLE}</style>"), part(trace)])


def part(trace: Contents) -> Markup:
    """For a section of a page that has `STYLE`."""
    return tag("div", sections(trace, "h3"), class_="thinnet-trace")


def sections(trace: Contents, heading: str = "h2") -> Markup:
    """The parts of the step, below the names of their phases."""
    found = list[Markup]()
    for phase, parts in groupby(trace.sections, key=lambda section: section.phase):
        shown = [(part, list(trace.shown(part))) for part in parts]
        there = [_section(part, lines, trace) for part, lines in shown if lines]
        if there:
            found += [tag(heading, PHASES[phase]), *there]
    return joined(found)


def _section(section: Section, shown: list[Number | Summary], trace: Contents) -> Markup:
    numbers = [one for one in shown if isinstance(one, Number)]
    arrays = [one for one in shown if isinstance(one, Summary)]
    parts = list[Markup]()
    if arrays:
        parts.append(table(OF_ARRAYS, map(_summary, arrays), OF_ARRAYS[:2]))
    if trace.shows_one_unit:
        numbers += [one for array in arrays for one in array.largest(LARGEST)]
    if numbers:
        words = ("number", "formula", "with numbers", "kind")
        parts.append(table(HEADS, map(_number, numbers), words))
    return tag("details", tag("summary", section.title), *parts, open="open")


def _number(one: Number) -> tuple[object, ...]:
    name = math(name_mathml(one.names.name(one.quantity, one.place)))
    value = math(number_mathml(one.value, one.digits))
    tree = one.tree
    if tree is None:
        nothing = "" if one.kind in GIVEN else "no formula"
        return Markup(name), Markup(value), nothing, "", one.kind
    formula = math(formula_mathml(tree, lambda leaf: name_mathml(one.name_of(leaf))))
    numbers = math(formula_mathml(tree, lambda leaf: _value(one, leaf)))
    return Markup(name), Markup(value), Markup(formula), Markup(numbers), one.kind


def _value(one: Number, leaf: Ref) -> str:
    value = one.value_of(leaf)
    return name_mathml(one.name_of(leaf)) if value is None else number_mathml(value, one.digits)


def _summary(one: Summary) -> tuple[object, ...]:
    name = math(name_mathml(one.quantity.key))
    size = " x ".join(map(str, one.shape))
    statistics = one.statistics
    zeros = statistics.pop("zeros")
    values = (Markup(math(number_mathml(value, 4))) for value in statistics.values())
    return Markup(name), joined(_array_formula(one)), size, *values, f"{zeros:.1%}"


def _array_formula(one: Summary) -> Iterator[object]:
    """The matrix formula; where there is none, that of the number furthest from 0."""
    quantity = one.quantity
    if quantity.whole is not None:
        yield Markup(math(formula_mathml(quantity.whole, lambda leaf: name_mathml(leaf.known.key))))
    elif quantity.element is not None and not one.is_constant:
        example = one.largest(1)[0]
        tree = example.tree
        assert tree is not None
        name = name_mathml(example.names.name(quantity, example.place))
        formula = formula_mathml(tree, lambda leaf: name_mathml(example.name_of(leaf)))
        yield from ("such as ", Markup(math(f"{name}<mo>=</mo>{formula}")))
    elif quantity.element is None and quantity.kind not in GIVEN:
        yield "no formula"
