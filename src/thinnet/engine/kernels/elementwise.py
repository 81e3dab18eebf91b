"""Activations and their derivatives, one row at a time and in place, while it is in cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.engine.kernels.functions import exp, expm1, fma, normal_cdf, sigmoid, softplus, tanh
from thinnet.engine.linking import exact_part
from thinnet.engine.opcodes import (
    ELU,
    GELU,
    LEAKY,
    RELU,
    SELU,
    SIGMOID,
    SILU,
    SOFTPLUS,
    TANH,
)
from thinnet.layers.rectifiers import SELU_ALPHA, SELU_SCALE

ROOT_OF_2_PI = (2 * np.pi) ** 0.5


@exact_part
def activate(code: Any, a: Any, row: Any) -> None:
    """``row = f(row)``; a NaN stays one."""
    real = row.dtype.type
    zero, one = real(0), real(1)
    a = real(a)
    if code == RELU:
        for i in range(row.size):
            row[i] = zero if row[i] <= zero else row[i]
    elif code == LEAKY:
        for i in range(row.size):
            row[i] = row[i] * (one if row[i] > zero else a)
    elif code == ELU:
        for i in range(row.size):
            below = a * expm1(min(row[i], zero))
            row[i] = below if row[i] <= zero else row[i]
    elif code == SELU:
        scale, alpha = real(SELU_SCALE), real(SELU_SCALE * SELU_ALPHA)
        for i in range(row.size):
            below = alpha * expm1(min(row[i], zero))
            row[i] = below if row[i] <= zero else scale * row[i]
    elif code == GELU:
        for i in range(row.size):
            row[i] *= normal_cdf(row[i])
    elif code == SILU:
        for i in range(row.size):
            row[i] *= sigmoid(row[i])
    elif code == SOFTPLUS:
        for i in range(row.size):
            row[i] = softplus(row[i])
    elif code == TANH:
        for i in range(row.size):
            row[i] = tanh(row[i])
    elif code == SIGMOID:
        for i in range(row.size):
            row[i] = sigmoid(row[i])


@exact_part
def times_slope_of_output(code: Any, a: Any, y: Any, undo: Any, dy: Any) -> None:
    """``dy *= f'(x)`` from ``f(x) = y * undo``, where dropout came behind and scaled it."""
    real = dy.dtype.type
    zero, one = real(0), real(1)
    a = real(a)
    if code == RELU:
        for i in range(dy.size):
            dy[i] = dy[i] if y[i] > zero else zero
    elif code == LEAKY:
        for i in range(dy.size):
            dy[i] *= one if y[i] > zero else a
    elif code == TANH:
        for i in range(dy.size):
            f = y[i] * undo
            dy[i] *= fma(-f, f, one)
    elif code == SIGMOID:
        for i in range(dy.size):
            f = y[i] * undo
            dy[i] *= f * (one - f)


@exact_part
def times_slope_of_input(code: Any, a: Any, x: Any, dy: Any) -> None:
    """``dy *= f'(x)``."""
    real = dy.dtype.type
    zero, one = real(0), real(1)
    a = real(a)
    if code == LEAKY:
        for i in range(dy.size):
            dy[i] *= one if x[i] > zero else a
    elif code == ELU:
        for i in range(dy.size):
            below = a * exp(min(x[i], zero))
            dy[i] *= one if x[i] > zero else below
    elif code == SELU:
        scale, alpha = real(SELU_SCALE), real(SELU_SCALE * SELU_ALPHA)
        for i in range(dy.size):
            below = alpha * exp(min(x[i], zero))
            dy[i] *= scale if x[i] > zero else below
    elif code == GELU:
        half, root = real(0.5), real(1 / ROOT_OF_2_PI)
        for i in range(dy.size):
            density = exp(-half * x[i] * x[i]) * root
            dy[i] *= fma(x[i], density, normal_cdf(x[i]))
    elif code == SILU:
        for i in range(dy.size):
            s = sigmoid(x[i])
            dy[i] *= s * fma(x[i], one - s, one)
    elif code == SOFTPLUS:
        for i in range(dy.size):
            dy[i] *= sigmoid(x[i])
