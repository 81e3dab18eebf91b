"""Rectifiers: activations that are straight on one side.

Each keeps in its cache the input or the output, whichever gives its derivative at less cost.
``weights_before`` names the initialiser that suits the weights of the layer before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import SameRows
from thinnet.formulas.explaining import LayerPart
from thinnet.formulas.trees import EXP, MAX, cases
from thinnet.layers.base import same_shape
from thinnet.passes import Run, Site

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017, eq. 14
SELU_SCALE = 1.0507009873554805


class OfInput(NamedTuple):
    """A cache that holds the input."""

    x: SameRows


class OfOutput(NamedTuple):
    """A cache that holds the output."""

    y: SameRows


@dataclass(frozen=True, slots=True)
class ReLU:
    """``y = max(x, 0)``, with derivative 0 at 0 (Nair and Hinton 2010).

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([ReLU()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]]))
    array([[0., 0., 2.]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfOutput]:
        y = np.maximum(x, 0)
        return y, OfOutput(y)

    def backward(self, site: Site, cache: OfOutput, dy: SameRows) -> SameRows:
        return dy * (cache.y > 0)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(lambda x: MAX(x, 0), lambda x, y: cases((1, y, ">", 0), otherwise=0))


@dataclass(frozen=True, slots=True)
class LeakyReLU:
    """``y = x`` where positive, ``slope * x`` elsewhere (Maas et al. 2013).

    Parameters
    ----------
    slope : float
        The derivative where x <= 0, any finite number; the default is that of Maas et al.

    Raises
    ------
    ValueError
        If `slope` is not a finite number.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([LeakyReLU(0.5)], features=3).outputs(np.array([[-1.0, 0.0, 2.0]]))
    array([[-0.5,  0. ,  2. ]], dtype=float32)
    """

    slope: float = 0.01

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.finite_number("slope", self.slope)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return np.where(x > 0, x, float(self.slope) * x), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return np.where(cache.x > 0, dy, float(self.slope) * dy)

    def explain(self, part: LayerPart) -> None:
        part.elementwise(
            lambda x: cases((x, x, ">", 0), otherwise=self.slope * x),
            lambda x, y: cases((1, x, ">", 0), otherwise=self.slope),
        )


@dataclass(frozen=True, slots=True)
class ELU:
    """``y = x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float
        Above 0: the output falls towards ``-alpha``.  With 1 the derivative is continuous at 0.

    Raises
    ------
    ValueError
        If `alpha` is not a finite number above 0.

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([ELU()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-0.632,  0.   ,  2.   ]], dtype=float32)
    """

    alpha: float = 1.0

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "he_normal"
    shapes = same_shape

    def __post_init__(self) -> None:
        checks.positive("alpha", self.alpha)

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        return np.where(x > 0, x, float(self.alpha) * np.expm1(np.minimum(x, 0))), OfInput(x)

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return np.where(cache.x > 0, dy, dy * float(self.alpha) * np.exp(np.minimum(cache.x, 0)))

    def explain(self, part: LayerPart) -> None:
        part.elementwise(
            lambda x: cases((x, x, ">", 0), otherwise=self.alpha * (EXP(x) - 1)),
            lambda x, y: cases((1, x, ">", 0), otherwise=self.alpha * EXP(x)),
        )


@dataclass(frozen=True, slots=True)
class SELU:
    """``scale * ELU(alpha)``, self-normalising (Klambauer et al. 2017, eq. 2 and 14).

    Examples
    --------
    >>> from thinnet import Network
    >>> Network([SELU()], features=3).outputs(np.array([[-1.0, 0.0, 2.0]])).round(3)
    array([[-1.111,  0.   ,  2.101]], dtype=float32)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    weights_before: ClassVar[str] = "lecun_normal"
    shapes = same_shape

    def forward(self, site: Site, x: SameRows, run: Run) -> tuple[SameRows, OfInput]:
        y, cache = ELU(SELU_ALPHA).forward(site, x, run)
        return SELU_SCALE * y, cache

    def backward(self, site: Site, cache: OfInput, dy: SameRows) -> SameRows:
        return ELU(SELU_ALPHA).backward(site, cache, SELU_SCALE * dy)

    def explain(self, part: LayerPart) -> None:
        scale, alpha = SELU_SCALE, SELU_ALPHA
        part.elementwise(
            lambda x: cases((scale * x, x, ">", 0), otherwise=scale * alpha * (EXP(x) - 1)),
            lambda x, y: cases((scale, x, ">", 0), otherwise=scale * alpha * EXP(x)),
        )
