"""Smooth activations: the formula forward, its derivative backward."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from scipy import special

from thinnet.arrays import Array, SameRows
from thinnet.formulas.explaining import LayerPart
from thinnet.formulas.trees import EXP, PHI, SIGMOID, SOFTPLUS, SQRT, TANH, Node, node, total
from thinnet.layers.base import same_shape
from thinnet.layers.rectifiers import OfInput, OfOutput
from thinnet.passes import Run, Site

LARGE: Final = 500.0  # exp is infinite above 709


def in_type(function: Callable[[Array], Array], x: SameRows) -> SameRows:
    """The result of SciPy's `function`, which knows only float32 and float64, in `x`'s type."""
    wide = x if x.dtype == np.float32 else x.astype(np.float64, copy=False)
    return function(wide).astype(x.dtype, copy=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """``y = x``.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([Identity()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]]))
    array([[-1.,  0.,  2.]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, None]:
        return x, None

    def backward(self, site: Site, cache: None, dy: SameRows) -> SameRows:
        return dy

    def explain(self, part: LayerPart) -> None:
        part.elementwise(lambda x: x, lambda x, y: node(1))


@dataclass(frozen=True, slots=True)
class GELU:
    """``y = x * Phi(x)`` with the exact normal distribution (Hendrycks and Gimpel 2016).

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([GELU()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.159,  0.   ,  1.954]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return x * in_type(special.ndtr, x), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        x = cache.x
        density = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi).astype(x.dtype)
        return dy * (in_type(special.ndtr, x) + x * density)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(
            lambda x: x * PHI(x),
            lambda x, y: PHI(x) + x * EXP(-(x**2) / 2) / SQRT(2 * node(math.pi)),
        )


@dataclass(frozen=True, slots=True)
class SiLU:
    """``y = x * sigmoid(x)``, also called swish (Elfwing et al. 2018).

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([SiLU()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.269,  0.   ,  1.762]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return x * in_type(special.expit, x), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        s = in_type(special.expit, cache.x)
        return dy * s * (1 + cache.x * (1 - s))

    def explain(self, part: LayerPart) -> None:
        part.elementwise(
            lambda x: x * SIGMOID(x), lambda x, y: SIGMOID(x) * (1 + x * (1 - SIGMOID(x)))
        )


@dataclass(frozen=True, slots=True)
class Softplus:
    """``y = log(1 + exp(x))`` (Dugas et al. 2001).

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([Softplus()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[0.313, 0.693, 2.127]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return np.logaddexp(x, 0, dtype=x.dtype), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return dy * in_type(special.expit, cache.x)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(lambda x: SOFTPLUS(x), lambda x, y: SIGMOID(x))


@dataclass(frozen=True, slots=True)
class Tanh:
    """``y = tanh(x)``.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([Tanh()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.762,  0.   ,  0.964]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = np.tanh(x)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * (1 - cache.y * cache.y)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(lambda x: TANH(x), lambda x, y: 1 - y**2)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """``y = 1 / (1 + exp(-x))``.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([Sigmoid()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[0.269, 0.5  , 0.881]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = in_type(special.expit, x)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * cache.y * (1 - cache.y)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(lambda x: 1 / (1 + EXP(-x)), lambda x, y: y * (1 - y))


@dataclass(frozen=True, slots=True)
class Softmax:
    """``y_i = exp(x_i) / sum_j exp(x_j)`` over the last feature axis (Bridle 1990).

    For training use the loss `SoftmaxCrossEntropy` on raw outputs instead: it is stabler.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([Softmax()], features=2).outputs(np.log([[1.0, 3.0]])).round(3)
    array([[0.25, 0.75]], dtype=float32)
    """

    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = special.softmax(x, axis=-1)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return cache.y * (dy - np.sum(dy * cache.y, axis=-1, keepdims=True))

    def explain(self, part: LayerPart) -> None:
        x, y, dy = part.x, part.y, part.dy
        last = range(x.shape[-1])
        top = x.values.max(axis=-1)

        def raised(*at: int) -> Node:
            """exp x, less the largest of the row where exp would be infinite."""
            most = float(top[at[:-1]])
            return EXP(x[at] - most if abs(most) > LARGE else x[at])

        y.by(lambda *at: raised(*at) / total(raised(*at[:-1], j) for j in last))
        part.dx.by(
            lambda *at: y[at] * (dy[at] - total(dy[*at[:-1], j] * y[*at[:-1], j] for j in last))
        )
