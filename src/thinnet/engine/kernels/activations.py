"""Activations and their derivatives, each number by itself, in one table.

``value(x, a)`` is f(x), with the layer's setting a, and a NaN stays one; ``times_slope(dy, kept,
undo, a)`` is ``dy * f'(x)`` from what was kept: x itself, or the output y with
``f(x) = y * undo``, where dropout came behind and scaled it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from thinnet.engine import opcodes
from thinnet.engine.aliases import Number, Numbers
from thinnet.engine.kernels import functions
from thinnet.engine.kernels.functions import exp, expm1, fma, normal_cdf
from thinnet.engine.linking import part
from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from thinnet.layers.rectifiers import SELU_ALPHA, SELU_SCALE

DENSITY_AT_0: Final = 1 / math.sqrt(2 * math.pi)
SELU_BELOW: Final = SELU_SCALE * SELU_ALPHA


@part
def relu(x: Number, a: Number) -> Number:
    zero = type(x)(0)
    return zero if x <= zero else x


@part
def relu_slope(dy: Number, y: Number, undo: Number, a: Number) -> Number:
    zero = type(y)(0)
    return dy if y > zero else zero


@part
def leaky(x: Number, a: Number) -> Number:
    return x * (type(x)(1) if x > type(x)(0) else a)


@part
def leaky_slope(dy: Number, kept: Number, undo: Number, a: Number) -> Number:
    return dy * (type(kept)(1) if kept > type(kept)(0) else a)


@part
def elu(x: Number, a: Number) -> Number:
    zero = type(x)(0)
    below = a * expm1(min(x, zero))
    return below if x <= zero else x


@part
def elu_slope(dy: Number, x: Number, undo: Number, a: Number) -> Number:
    zero = type(x)(0)
    below = a * exp(min(x, zero))
    return dy * (type(x)(1) if x > zero else below)


@part
def selu(x: Number, a: Number) -> Number:
    zero = type(x)(0)
    below = type(x)(SELU_BELOW) * expm1(min(x, zero))
    return below if x <= zero else type(x)(SELU_SCALE) * x


@part
def selu_slope(dy: Number, x: Number, undo: Number, a: Number) -> Number:
    zero = type(x)(0)
    below = type(x)(SELU_BELOW) * exp(min(x, zero))
    return dy * (type(x)(SELU_SCALE) if x > zero else below)


@part
def gelu(x: Number, a: Number) -> Number:
    return x * normal_cdf(x)


@part
def gelu_slope(dy: Number, x: Number, undo: Number, a: Number) -> Number:
    density = exp(type(x)(-0.5) * x * x) * type(x)(DENSITY_AT_0)
    return dy * fma(x, density, normal_cdf(x))


@part
def silu(x: Number, a: Number) -> Number:
    return x * functions.sigmoid(x)


@part
def silu_slope(dy: Number, x: Number, undo: Number, a: Number) -> Number:
    one, s = type(x)(1), functions.sigmoid(x)
    return dy * (s * fma(x, one - s, one))


@part
def softplus(x: Number, a: Number) -> Number:
    return functions.softplus(x)


@part
def softplus_slope(dy: Number, x: Number, undo: Number, a: Number) -> Number:
    return dy * functions.sigmoid(x)


@part
def tanh(x: Number, a: Number) -> Number:
    return functions.tanh(x)


@part
def tanh_slope(dy: Number, y: Number, undo: Number, a: Number) -> Number:
    f = y * undo
    return dy * fma(-f, f, type(y)(1))


@part
def sigmoid(x: Number, a: Number) -> Number:
    return functions.sigmoid(x)


@part
def sigmoid_slope(dy: Number, y: Number, undo: Number, a: Number) -> Number:
    f = y * undo
    return dy * (f * (type(y)(1) - f))


Activate: TypeAlias = Callable[[int, float, Numbers], None]
Slopes: TypeAlias = Callable[[int, float, Number, Numbers, Numbers], None]


class Activation(NamedTuple):
    """What compiled code knows of an activation."""

    code: int
    value: Callable[[Number, Number], Number]
    times_slope: Callable[[Number, Number, Number, Number], Number]
    by_input: bool  # is the slope computed from the input, or from the output?


ACTIVATIONS: Final[dict[type, Activation]] = {
    ReLU: Activation(opcodes.RELU, relu, relu_slope, by_input=False),
    LeakyReLU: Activation(opcodes.LEAKY, leaky, leaky_slope, by_input=False),
    ELU: Activation(opcodes.ELU, elu, elu_slope, by_input=True),
    SELU: Activation(opcodes.SELU, selu, selu_slope, by_input=True),
    GELU: Activation(opcodes.GELU, gelu, gelu_slope, by_input=True),
    SiLU: Activation(opcodes.SILU, silu, silu_slope, by_input=True),
    Softplus: Activation(opcodes.SOFTPLUS, softplus, softplus_slope, by_input=True),
    Tanh: Activation(opcodes.TANH, tanh, tanh_slope, by_input=False),
    Sigmoid: Activation(opcodes.SIGMOID, sigmoid, sigmoid_slope, by_input=False),
}


@part
def _leave_rows(code: int, a: float, row: Numbers) -> None:
    """Behind the last of the table."""


@part
def _leave_slopes(code: int, a: float, undo: Number, kept: Numbers, dy: Numbers) -> None: ...


def _loops(first: Activation, others: Activate, other_slopes: Slopes) -> tuple[Activate, Slopes]:
    """The loops of one activation; what is not its own is left to the others."""
    code, value, times_slope = first.code, first.value, first.times_slope

    @part
    def activate(which: int, a: float, row: Numbers) -> None:
        """``row = f(row)``, in place."""
        if which == code:
            real = row.dtype.type(a)
            for i in range(row.size):
                row[i] = value(row[i], real)
        else:
            others(which, a, row)

    @part
    def multiply_by_slope(which: int, a: float, undo: Number, kept: Numbers, dy: Numbers) -> None:
        """``dy *= f'(x)``, in place."""
        if which == code:
            real = dy.dtype.type(a)
            for i in range(dy.size):
                dy[i] = times_slope(dy[i], kept[i], undo, real)
        else:
            other_slopes(which, a, undo, kept, dy)

    return activate, multiply_by_slope


activate: Activate = _leave_rows
multiply_by_slope: Slopes = _leave_slopes
for _each in reversed(ACTIVATIONS.values()):
    activate, multiply_by_slope = _loops(_each, activate, multiply_by_slope)
