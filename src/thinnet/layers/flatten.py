"""Rows of any shape turned into rows of one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from thinnet.arrays import Features, Rows
from thinnet.formulas.explaining import LayerPart, places
from thinnet.layers.base import Shapes
from thinnet.passes import Run, Site


@dataclass(frozen=True, slots=True)
class Flatten:
    """Put the features of a row along one axis, in C order.

    Examples
    --------
    >>> Flatten().shapes((28, 28)).out
    (784,)
    """

    unitwise: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True

    def shapes(self, features: Features) -> Shapes:
        return Shapes((math.prod(features),))

    def forward(self, site: Site, x: Rows, run: Run) -> tuple[Rows, None]:
        return x.reshape(len(x), *site.out), None

    def backward(self, site: Site, cache: None, dy: Rows) -> Rows:
        return dy.reshape(len(dy), *site.features)

    def explain(self, part: LayerPart) -> None:
        inside = list(places(part.x.shape[1:]))
        order = {at: j for j, at in enumerate(inside)}
        part.y.by(lambda i, j: part.x[i, *inside[j]])
        part.dx.by(lambda i, *at: part.dy[i, order[at]])
