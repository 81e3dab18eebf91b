"""Formulas as text, with the names of numbers or with their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from thinnet.formulas.trees import (
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
Level: TypeAlias = Literal[0, 1, 2, 3, 4]  # how tightly a formula's parts hold together
SUM: Final[Level] = 1
PRODUCT: Final[Level] = 2
POWER: Final[Level] = 3
ATOM: Final[Level] = 4
LONG: Final = 8  # parts of a sum or product; of more the first ones and the last stand there
FIRST: Final = 3


def number(value: float, digits: int) -> str:
    """A number with so many significant digits."""
    return f"{float(value) + 0.0:.{digits}g}"  # + 0.0 turns -0 into 0


def constant(value: float) -> str:
    """A number of a formula, in full: "2", "0.1", "1e-08"."""
    return repr(float(value)).removesuffix(".0")


def formula_text(formula: Node, leaf: Leaf) -> str:
    """A formula in one line; `leaf` writes what a `Ref` stands for."""
    return _written(formula, leaf)[0]


def _written(formula: Node, leaf: Leaf) -> tuple[str, Level]:
    match formula:
        case Constant(value):
            return _signed(constant(value))
        case Ref():
            return _signed(leaf(formula))
        case Sum(terms):
            return signed_sum(terms, lambda term: _at(PRODUCT, term, leaf), "..."), SUM
        case Product(factors):
            parts = [_at(PRODUCT, factor, leaf) for factor in factors]
            return " * ".join(shortened(parts, "...")), PRODUCT
        case Negative(of):
            return f"-{_at(PRODUCT, of, leaf)}", SUM
        case Quotient(above, below):
            return f"{_at(PRODUCT, above, leaf)} / {_at(POWER, below, leaf)}", PRODUCT
        case Power(base, exponent):
            return f"{_at(ATOM, base, leaf)}^{_at(ATOM, exponent, leaf)}", POWER
        case Call(function, arguments):
            inside = ", ".join(_written(argument, leaf)[0] for argument in arguments)
            return f"{function.name}({inside})", ATOM
        case Cases():
            return _cases(formula, leaf), ATOM
        case Matmul(left, right):
            return f"{_at(PRODUCT, left, leaf)} @ {_at(POWER, right, leaf)}", PRODUCT
        case Transposed(of):
            return f"{_at(ATOM, of, leaf)}^T", POWER
    raise TypeError(f"a formula must be made of nodes, got {formula!r}")


def _signed(text: str) -> tuple[str, Level]:
    """A negative number needs brackets behind another sign, a derivative as a power's base."""
    return text, SUM if text.startswith("-") else PRODUCT if "/" in text else ATOM


def _at(level: Level, formula: Node, leaf: Leaf) -> str:
    """In brackets where it holds together less tightly than `level`."""
    text, own = _written(formula, leaf)
    return text if own >= level else f"({text})"


def signed_sum(terms: tuple[Node, ...], write: Callable[[Node], str], dots: str) -> str:
    """Terms with their signs between them; `write` writes one, `dots` stands for those left out."""
    parts = []
    for term in terms:
        if isinstance(term, Negative):
            parts.append(f"- {write(term.of)}")
        else:
            parts.append(f"+ {write(term)}")
    shown = " ".join(shortened(parts, f"+ {dots}"))
    return f"-{shown[2:]}" if shown.startswith("- ") else shown[2:]


def shortened(parts: list[str], dots: str) -> list[str]:
    """Parts of a sum or product: of many the first ones and the last."""
    return parts if len(parts) <= LONG else [*parts[:FIRST], dots, parts[-1]]


def _cases(formula: Cases, leaf: Leaf) -> str:
    branches = [
        f"{_written(branch, leaf)[0]} if {_written(condition.left, leaf)[0]} {condition.relation} "
        f"{_written(condition.right, leaf)[0]}"
        for branch, condition in formula.branches
    ]
    return "{" + "; ".join([*branches, f"{_written(formula.otherwise, leaf)[0]} otherwise"]) + "}"
