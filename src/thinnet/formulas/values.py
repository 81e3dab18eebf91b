"""The number that a formula comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np

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
    Value,
)

RELATIONS: Final[dict[str, Callable[[Value, Value], Any]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.equal,
}


def value_of(formula: Node) -> Value:
    """The number that a formula comes to, from the numbers at its leaves."""
    match formula:
        case Constant(number):
            return number
        case Ref(known, index):
            return known.at(index)
        case Negative(of):
            return -value_of(of)
        case Quotient(above, below):
            return value_of(above) / value_of(below)
        case Power(base, exponent):
            return value_of(base) ** value_of(exponent)
        case Call(function, arguments):
            return function.compute(*map(value_of, arguments))
        case Matmul(left, right):
            return value_of(left) @ value_of(right)
        case Transposed(of):
            return np.transpose(value_of(of))
        case Sum(terms):
            return _joined(np.add, terms)
        case Product(factors):
            return _joined(np.multiply, factors)
        case Cases():
            return _value_of_cases(formula)
    raise TypeError(f"a formula must be made of nodes, got {formula!r}")


def _joined(join: Callable[[Value, Value], Value], parts: Iterable[Node]) -> Value:
    first, *others = map(value_of, parts)
    for other in others:
        first = join(first, other)
    return first


def _value_of_cases(formula: Cases) -> Value:
    """Of numbers only the branch that holds is computed; of arrays all are."""
    for i, (branch, condition) in enumerate(formula.branches):
        holds = RELATIONS[condition.relation](value_of(condition.left), value_of(condition.right))
        if np.ndim(holds):
            rest = Cases(formula.branches[i + 1 :], formula.otherwise)
            with np.errstate(all="ignore"):  # of branches that are not taken
                return np.where(holds, value_of(branch), value_of(rest))
        if holds:
            return value_of(branch)
    return value_of(formula.otherwise)
