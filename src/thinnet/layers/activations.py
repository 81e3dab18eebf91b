"""Activations: the formula forward, its derivative backward.

Each keeps in its cache what its derivative is cheapest from, the input or the output.  A layer's
``weights_before`` names the rule that suits the weights standing before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from scipy import special

from thinnet import checks
from thinnet.arrays import Array, SameRows
from thinnet.layers.base import same_shape
from thinnet.run import Run, Site

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017, eq. 14
SELU_SCALE = 1.0507009873554805


class OfInput(NamedTuple):
    x: SameRows


class OfOutput(NamedTuple):
    y: SameRows


def in_type(function: Callable[[Array], Array], x: SameRows) -> SameRows:
    """SciPy's `function`, which knows float32 and float64 only, in the type of `x`."""
    wide = x if x.dtype == np.float32 else x.astype(np.float64, copy=False)
    return function(wide).astype(x.dtype, copy=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """``y = x``."""

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, None]:
        return x, None

    def backward(self, site: Site, cache: None, dy: SameRows) -> SameRows:
        return dy


@dataclass(frozen=True, slots=True)
class ReLU:
    """``y = max(x, 0)``, with derivative 0 at 0 (Nair and Hinton 2010)."""

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = np.maximum(x, 0)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * (cache.y > 0)


@dataclass(frozen=True, slots=True)
class LeakyReLU:
    """``y = x`` where positive, ``slope * x`` elsewhere (Maas et al. 2013)."""

    slope: float = 0.01

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.finite_number("slope", self.slope)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return np.where(x > 0, x, x.dtype.type(self.slope) * x), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return np.where(cache.x > 0, dy, dy.dtype.type(self.slope) * dy)


@dataclass(frozen=True, slots=True)
class ELU:
    """``y = x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2016)."""

    alpha: float = 1.0

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.positive("alpha", self.alpha)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        alpha = x.dtype.type(self.alpha)
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        alpha = dy.dtype.type(self.alpha)
        return np.where(cache.x > 0, dy, dy * alpha * np.exp(np.minimum(cache.x, 0)))


@dataclass(frozen=True, slots=True)
class SELU:
    """``scale * ELU(alpha)``, self-normalising (Klambauer et al. 2017, eq. 2 and 14)."""

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "lecun_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        y, cache = ELU(SELU_ALPHA).forward(site, x, run)
        return SELU_SCALE * y, cache

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return ELU(SELU_ALPHA).backward(site, cache, SELU_SCALE * dy)


@dataclass(frozen=True, slots=True)
class GELU:
    """``y = x * Phi(x)`` with the exact normal distribution (Hendrycks and Gimpel 2016)."""

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


@dataclass(frozen=True, slots=True)
class SiLU:
    """``y = x * sigmoid(x)``, also called swish (Elfwing et al. 2018)."""

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return x * in_type(special.expit, x), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        s = in_type(special.expit, cache.x)
        return dy * s * (1 + cache.x * (1 - s))


@dataclass(frozen=True, slots=True)
class Softplus:
    """``y = log(1 + exp(x))`` (Dugas et al. 2001)."""

    unitwise: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return np.logaddexp(x, 0, dtype=x.dtype), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return dy * in_type(special.expit, cache.x)


@dataclass(frozen=True, slots=True)
class Tanh:
    """``y = tanh(x)``."""

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = np.tanh(x)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * (1 - cache.y * cache.y)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """``y = 1 / (1 + exp(-x))``."""

    unitwise: ClassVar[bool] = True
    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = in_type(special.expit, x)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * cache.y * (1 - cache.y)


@dataclass(frozen=True, slots=True)
class Softmax:
    """``y_i = exp(x_i) / sum_j exp(x_j)`` over the last feature axis (Bridle 1990).

    For training use the loss `SoftmaxCrossEntropy` on raw outputs instead: it is stabler.
    """

    weights_before: ClassVar[str] = "glorot_uniform"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = special.softmax(x, axis=-1)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return cache.y * (dy - np.sum(dy * cache.y, axis=-1, keepdims=True))
