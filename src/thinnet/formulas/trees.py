"""Formulas as trees; their value, text, LaTeX and MathML are made of the same tree.

A leaf is a constant or a `Ref` to a number that stands elsewhere in the same trace.  Trees are
written with Python's operators: ``w * x + b``.  Where a leaf refers to a whole array the tree is a
matrix formula, with the same operators and `Matmul` and `Transposed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, Union

import numpy as np

from thinnet.arithmetic import log_gamma, normal_cdf, sigmoid, softplus
from thinnet.arrays import Array

Index: TypeAlias = tuple[int, ...] | None  # a place in an array; None for all of it
Value: TypeAlias = Any  # a float, or an array of a matrix formula
Relation: TypeAlias = Literal["<", "<=", ">", ">=", "="]
Operand: TypeAlias = Union["Node", float]


class Known(Protocol):
    """What a `Ref` refers to: an array with a name."""

    key: Any

    def at(self, index: Index) -> Value: ...


class Node:
    """A formula.  Operators make larger ones; a Python number becomes a `Constant`."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Node:
        return Sum((*_terms(self), *_terms(node(other))))

    def __radd__(self, other: Operand) -> Node:
        return node(other) + self

    def __sub__(self, other: Operand) -> Node:
        return Sum((*_terms(self), Negative(node(other))))

    def __rsub__(self, other: Operand) -> Node:
        return node(other) - self

    def __mul__(self, other: Operand) -> Node:
        return Product((*_factors(self), *_factors(node(other))))

    def __rmul__(self, other: Operand) -> Node:
        return node(other) * self

    def __truediv__(self, other: Operand) -> Node:
        return Quotient(self, node(other))

    def __rtruediv__(self, other: Operand) -> Node:
        return Quotient(node(other), self)

    def __neg__(self) -> Node:
        return Negative(self)

    def __pow__(self, exponent: Operand) -> Node:
        return Power(self, node(exponent))

    def __matmul__(self, other: Node) -> Node:
        return Matmul(self, other)

    @property
    def T(self) -> Node:  # noqa: N802 - as of arrays
        return Transposed(self)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    number: float


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """A number of the trace, or with the index None all of an array."""

    known: Known
    index: Index = None


@dataclass(frozen=True, slots=True)
class Sum(Node):
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negative(Node):
    of: Node


@dataclass(frozen=True, slots=True)
class Quotient(Node):
    above: Node
    below: Node


@dataclass(frozen=True, slots=True)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    function: Function
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """The formula of the first branch whose condition holds, or `otherwise`."""

    branches: tuple[Branch, ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Matmul(Node):
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Transposed(Node):
    of: Node


class Function(NamedTuple):
    """A named function: how it is computed, and its name in LaTeX."""

    name: str
    compute: Callable[..., Value]
    latex: str

    def __call__(self, *arguments: Operand) -> Node:
        return Call(self, tuple(map(node, arguments)))


class Condition(NamedTuple):
    left: Node
    relation: Relation
    right: Node


class Branch(NamedTuple):
    formula: Node
    condition: Condition


def node(value: Operand) -> Node:
    return value if isinstance(value, Node) else Constant(float(value))


def cases(*branches: tuple[Operand, Operand, Relation, Operand], otherwise: Operand) -> Node:
    """Branches as (formula, left, relation, right), and the formula where no condition holds."""
    found = (
        Branch(node(formula), Condition(node(left), relation, node(right)))
        for formula, left, relation, right in branches
    )
    return Cases(tuple(found), node(otherwise))


def total(terms: Iterable[Operand]) -> Node:
    """The sum of terms; 0 of none."""
    found = tuple(map(node, terms))
    return found[0] if len(found) == 1 else Sum(found) if found else Constant(0.0)


def product(factors: Iterable[Operand]) -> Node:
    """The product of factors; 1 of none."""
    found = tuple(map(node, factors))
    return found[0] if len(found) == 1 else Product(found) if found else Constant(1.0)


def _of_rows(reduce: Callable[..., Value]) -> Callable[[Array], Value]:
    return lambda rows: reduce(rows, axis=0)


EXP: Final = Function("exp", np.exp, r"\exp")
LOG: Final = Function("log", np.log, r"\ln")
SQRT: Final = Function("sqrt", np.sqrt, r"\sqrt")
ABS: Final = Function("abs", np.abs, r"\operatorname{abs}")
SIGN: Final = Function("sign", np.sign, r"\operatorname{sign}")
TANH: Final = Function("tanh", np.tanh, r"\tanh")
SIGMOID: Final = Function("sigmoid", sigmoid, r"\sigma")
SOFTPLUS: Final = Function("softplus", softplus, r"\operatorname{softplus}")
PHI: Final = Function("Phi", normal_cdf, r"\Phi")
LOG_GAMMA: Final = Function("log_gamma", log_gamma, r"\ln\Gamma")
MAX: Final = Function("max", np.maximum, r"\max")
MIN: Final = Function("min", np.minimum, r"\min")
SUM: Final = Function("sum", np.sum, r"\sum")
GREATEST: Final = Function("greatest", np.max, r"\max")
SUM_OF_ROWS: Final = Function("sum of rows", _of_rows(np.sum), r"\sum_{i}")
MEAN_OF_ROWS: Final = Function("mean of rows", _of_rows(np.mean), r"\frac{1}{n}\sum_{i}")


def children(formula: Node) -> tuple[Node, ...]:
    """The parts of a formula, with those of its conditions."""
    match formula:
        case Sum(parts) | Product(parts) | Call(_, parts):
            return parts
        case Negative(of) | Transposed(of):
            return (of,)
        case Quotient(first, second) | Power(first, second) | Matmul(first, second):
            return (first, second)
        case Cases(branches, otherwise):
            of_branches = ((b.formula, b.condition.left, b.condition.right) for b in branches)
            return (*(part for three in of_branches for part in three), otherwise)
    return ()


def leaves(formula: Node) -> Iterator[Ref]:
    """The numbers that a formula refers to, from left to right, as often as they stand there."""
    if isinstance(formula, Ref):
        yield formula
    for child in children(formula):
        yield from leaves(child)


def _terms(formula: Node) -> tuple[Node, ...]:
    return formula.terms if isinstance(formula, Sum) else (formula,)


def _factors(formula: Node) -> tuple[Node, ...]:
    return formula.factors if isinstance(formula, Product) else (formula,)
