"""Formulas in MathML (Core), with the names of numbers or with their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Final, TypeAlias

import numpy as np

from thinnet.formulas.naming import GREEK, Name
from thinnet.formulas.plain import ATOM, POWER, PRODUCT, SUM, Level, constant, shortened
from thinnet.formulas.trees import (
    SQRT,
    Call,
    Cases,
    Constant,
    Matmul,
    Negative,
    Node,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Transposed,
)

Leaf: TypeAlias = Callable[[Ref], str]
LETTERS: Final = dict(zip(sorted(GREEK), "αβδεγηλμρσ", strict=True))
TIMES: Final = "<mo>·</mo>"
MINUS: Final = "<mo>&#x2212;</mo>"
DOTS: Final = "<mo>⋯</mo>"
RELATIONS: Final = {"<": "&lt;", "<=": "≤", ">": "&gt;", ">=": "≥", "=": "="}


def element(tag: str, *inside: str) -> str:
    return f"<{tag}>{''.join(inside)}</{tag}>"


def number_mathml(value: float, digits: int) -> str:
    """A number with so many significant digits, as it is in text."""
    shown = f"{abs(float(value)):.{digits}g}"
    number = element("mn", shown)
    return element("mrow", MINUS, number) if np.signbit(value) and value else number


def name_mathml(name: Name) -> str:
    """A name with what stands below it; derivatives as fractions."""
    own = _identifier(name.word)
    below = [part for part in (name.below, *name.place) if part]
    if below:
        parts = element("mo", ",").join(_part(part) for part in below)
        own = element("msub", own, element("mrow", parts))
    if name.mark:
        own = element("msup", own, element("mo", escape(name.mark)))
    if name.of is None:
        return own
    d = element("mo", "∂")
    return element("mfrac", element("mrow", d, own), element("mrow", d, name_mathml(name.of)))


def formula_mathml(formula: Node, leaf: Leaf) -> str:
    """A formula as an element; `leaf` writes what a `Ref` stands for."""
    return _written(formula, leaf)[0]


def math(*inside: str, block: bool = False) -> str:
    """The root element."""
    display = ' display="block"' if block else ""
    namespace = "http://www.w3.org/1998/Math/MathML"
    return f'<math xmlns="{namespace}"{display}>{"".join(inside)}</math>'


def _identifier(word: str) -> str:
    return element("mi", LETTERS.get(word, escape(word)))


def _part(part: str) -> str:
    return element("mn" if part.isdigit() else "mi", escape(part))


def _written(formula: Node, leaf: Leaf) -> tuple[str, Level]:
    match formula:
        case Constant(value):
            number = element("mn", constant(abs(value)))
            return (element("mrow", MINUS, number), SUM) if value < 0 else (number, ATOM)
        case Ref():
            text = leaf(formula)
            return text, SUM if MINUS in text else POWER if "<mfrac>" in text else ATOM
        case Sum(terms):
            return element("mrow", *_sum(terms, leaf)), SUM
        case Product(factors):
            parts = shortened([_at(PRODUCT, factor, leaf) for factor in factors], DOTS)
            return element("mrow", TIMES.join(parts)), PRODUCT
        case Negative(of):
            return element("mrow", MINUS, _at(PRODUCT, of, leaf)), SUM
        case Quotient(above, below):
            return element("mfrac", _written(above, leaf)[0], _written(below, leaf)[0]), POWER
        case Power(base, exponent):
            return element("msup", _at(ATOM, base, leaf), _written(exponent, leaf)[0]), POWER
        case Call(function, arguments):
            inside = element("mo", ",").join(_written(a, leaf)[0] for a in arguments)
            if function is SQRT:
                return element("msqrt", inside), ATOM
            return element("mrow", _identifier(function.name), _bracketed(inside)), ATOM
        case Cases():
            return _cases(formula, leaf), ATOM
        case Matmul(left, right):
            return element("mrow", _at(PRODUCT, left, leaf), _at(POWER, right, leaf)), PRODUCT
        case Transposed(of):
            return element("msup", _at(ATOM, of, leaf), element("mo", "&#x22A4;")), POWER
    raise TypeError(f"a formula must be made of nodes, got {formula!r}")


def _bracketed(inside: str) -> str:
    return element("mrow", element("mo", "("), inside, element("mo", ")"))


def _at(level: Level, formula: Node, leaf: Leaf) -> str:
    shown, own = _written(formula, leaf)
    return shown if own >= level else _bracketed(shown)


def _sum(terms: tuple[Node, ...], leaf: Leaf) -> Iterable[str]:
    parts = []
    for i, term in enumerate(terms):
        is_negative = isinstance(term, Negative)
        shown = _at(PRODUCT, term.of if isinstance(term, Negative) else term, leaf)
        sign = (MINUS if is_negative else element("mo", "+")) if i or is_negative else ""
        parts.append(sign + shown)
    return shortened(parts, element("mo", "+") + DOTS)


def _cases(formula: Cases, leaf: Leaf) -> str:
    rows = []
    for branch, condition in formula.branches:
        left, right = (_written(side, leaf)[0] for side in (condition.left, condition.right))
        holds = element("mrow", left, element("mo", RELATIONS[condition.relation]), right)
        words = element("mtext", "if ")
        rows.append((_written(branch, leaf)[0], element("mrow", words, holds)))
    rows.append((_written(formula.otherwise, leaf)[0], element("mtext", "otherwise")))
    cells = (element("mtr", *(element("mtd", cell) for cell in row)) for row in rows)
    return element("mrow", element("mo", "{"), element("mtable", *cells))
