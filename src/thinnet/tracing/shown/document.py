"""A trace as a document for LaTeX."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from thinnet.formulas.latex import formula_latex, name_latex, number_latex
from thinnet.formulas.naming import Name, escaped
from thinnet.formulas.trees import Node, Ref
from thinnet.tracing.contents import Contents
from thinnet.tracing.numbers import Number
from thinnet.tracing.sections import Section
from thinnet.tracing.shown.plain import words
from thinnet.tracing.summaries import Summary

HEAD: Final = r"""\documentclass[a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\begin{document}
"""


def document(trace: Contents) -> str:
    """A whole document: a section for each phase, an equation for each number."""
    parts = [HEAD]
    for phase, sections in groupby(trace.sections, key=lambda section: section.phase):
        shown = [(section, list(trace.shown(section))) for section in sections]
        there = [_section(section, lines) for section, lines in shown if lines]
        if there:
            parts += [rf"\section*{{{phase.capitalize()}}}", *there]
    return "\n".join([*parts, r"\end{document}", ""])


def _section(section: Section, shown: list[Number | Summary]) -> str:
    title = rf"\subsection*{{{escaped(section.title)}}}"
    lines = [_number(one) if isinstance(one, Number) else _summary(one) for one in shown]
    return "\n".join([title, *lines])


def _number(one: Number) -> str:
    name = name_latex(one.names.name(one.quantity, one.place))
    value, tree = number_latex(one.value, one.digits), one.tree
    if tree is None:
        return rf"\[ {name} = {value} \]"
    formula = formula_latex(tree, lambda leaf: name_latex(one.name_of(leaf)))
    numbers = formula_latex(tree, lambda leaf: _value(one, leaf))
    lines = (rf"{name} &= {formula}", rf"&= {numbers}", f"&= {value}")
    return _aligned(lines)


def _aligned(lines: tuple[str, ...]) -> str:
    body = " \\\\\n  ".join(lines)
    return f"\\begin{{align*}}\n  {body}\n\\end{{align*}}"


def _value(one: Number, leaf: Ref) -> str:
    value = one.value_of(leaf)
    return name_latex(one.name_of(leaf)) if value is None else number_latex(value, one.digits)


def _summary(one: Summary) -> str:
    key: Name = one.quantity.key
    size = r" \times ".join(map(str, one.shape))
    line = rf"${name_latex(key)}$, ${size}$ numbers: {escaped(words(one))}\par"
    whole: Node | None = one.quantity.whole
    if whole is None:
        return line
    formula = formula_latex(whole, lambda leaf: name_latex(leaf.known.key))
    return f"{line}\n\\[ {name_latex(key)} = {formula} \\]"
