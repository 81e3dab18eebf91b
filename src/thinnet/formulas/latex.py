"""Formulas in LaTeX, with the names of numbers or with their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from thinnet.formulas import naming
from thinnet.formulas.plain import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    Level,
    constant,
    number,
    shortened,
    signed_sum,
)
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
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "=": "="}


def number_latex(value: float, digits: int) -> str:
    """A number with so many significant digits; powers of ten as such."""
    shown = number(value, digits)
    if shown in ("inf", "-inf", "nan"):
        return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}[shown]
    return _power_of_ten(shown)


def _power_of_ten(shown: str) -> str:
    mantissa, _, power = shown.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if power else mantissa


def _level(text: str) -> Level:
    """How tightly the parts of a name or a value hold together."""
    if text.startswith("-"):
        return SUM
    return PRODUCT if r"\cdot" in text else POWER if r"\frac" in text else ATOM


def formula_latex(formula: Node, leaf: Leaf) -> str:
    """A formula for a place in mathematics mode; `leaf` writes what a `Ref` stands for."""
    return _written(formula, leaf)[0]


def name_latex(name: naming.Name) -> str:
    return naming.latex(name)


def _written(formula: Node, leaf: Leaf) -> tuple[str, Level]:
    match formula:
        case Constant(value):
            shown = _power_of_ten(constant(value))
            return shown, _level(shown)
        case Ref():
            text = leaf(formula)
            return text, _level(text)
        case Sum(terms):
            return signed_sum(terms, lambda term: _at(PRODUCT, term, leaf), r"\cdots"), SUM
        case Product(factors):
            parts = [_at(PRODUCT, factor, leaf) for factor in factors]
            return r" \cdot ".join(shortened(parts, r"\cdots")), PRODUCT
        case Negative(of):
            return f"-{_at(PRODUCT, of, leaf)}", SUM
        case Quotient(above, below):
            return rf"\frac{{{_written(above, leaf)[0]}}}{{{_written(below, leaf)[0]}}}", POWER
        case Power(base, exponent):
            return f"{{{_at(ATOM, base, leaf)}}}^{{{_written(exponent, leaf)[0]}}}", POWER
        case Call(function, arguments):
            inside = ", ".join(_written(argument, leaf)[0] for argument in arguments)
            if function is SQRT:
                return rf"\sqrt{{{inside}}}", ATOM
            return rf"{function.latex}\left({inside}\right)", ATOM
        case Cases():
            return _cases(formula, leaf), ATOM
        case Matmul(left, right):
            return rf"{_at(PRODUCT, left, leaf)} \, {_at(POWER, right, leaf)}", PRODUCT
        case Transposed(of):
            return rf"{{{_at(ATOM, of, leaf)}}}^{{\top}}", POWER
    raise TypeError(f"a formula must be made of nodes, got {formula!r}")


def _at(level: Level, formula: Node, leaf: Leaf) -> str:
    text, own = _written(formula, leaf)
    return text if own >= level else rf"\left({text}\right)"


def _cases(formula: Cases, leaf: Leaf) -> str:
    lines = [
        rf"{_written(branch, leaf)[0]} & \text{{if }} {_written(condition.left, leaf)[0]} "
        rf"{RELATIONS[condition.relation]} {_written(condition.right, leaf)[0]}"
        for branch, condition in formula.branches
    ]
    lines.append(rf"{_written(formula.otherwise, leaf)[0]} & \text{{otherwise}}")
    return r"\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}"
