"""The affine layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Features, InitializerLike, Out, Table
from thinnet.formulas.explaining import LayerPart
from thinnet.formulas.trees import SUM_OF_ROWS, total
from thinnet.layers.base import Initial, Shapes, one_axis
from thinnet.moved import renamed_fields
from thinnet.passes import Run, Site


class Params(NamedTuple):
    W: Any  # (units, width), as in torch.nn.Linear
    b: Any  # (units,)


class Cache(NamedTuple):
    x: Table


@renamed_fields(initialiser="initializer")
@dataclass(frozen=True, slots=True)
class Dense:
    """Affine map of each row, ``y = x @ W.T + b``.

    Parameters
    ----------
    units : int
        Width of the output, at least 1.
    initializer : str or Initializer, optional
        The rule for first weights; by default the one for the activation that follows.  Biases
        start at 0.
    l1, l2, bias_l1, bias_l2 : float
        Penalties ``l1 * sum |w| + l2 * sum w^2`` on weights and biases, added to the mean loss
        (see `thinnet.training.penalties` for other conventions).
    max_norm : float, optional
        After each step the incoming weights of a unit are scaled back to this Euclidean norm
        where they exceed it (Srivastava et al. 2014, section 5.1).

    Raises
    ------
    ValueError
        If a setting is out of its range, or rows with more than one axis come in.

    Examples
    --------
    >>> Dense(10).shapes((4,)).params
    Params(W=(10, 4), b=(10,))
    """

    units: int
    initializer: InitializerLike = None
    l1: float = 0.0
    l2: float = 0.0
    bias_l1: float = 0.0
    bias_l2: float = 0.0
    max_norm: float | None = None

    def __post_init__(self) -> None:
        checks.integer("units", self.units, 1)
        for name in ("l1", "l2", "bias_l1", "bias_l2"):
            checks.non_negative(name, getattr(self, name))
        if self.max_norm is not None:
            checks.positive("max_norm", self.max_norm)

    def shapes(self, features: Features) -> Shapes:
        width = one_axis(self, features)
        return Shapes((self.units,), Params(W=(self.units, width), b=(self.units,)))

    def initialise(self, site: Site, initial: Initial) -> None:
        site.p.W[...] = initial.weights(site.p.W.shape, self.initializer)
        site.p.b[...] = 0

    def present(self, inputs: Array, outputs: Array) -> Params:
        return Params(W=outputs[:, None] * inputs[None, :], b=outputs)

    def forward(self, site: Site, x: Table, run: Run) -> tuple[Out, Cache]:
        return x @ site.p.W.T + site.p.b, Cache(x)

    def backward(self, site: Site, cache: Cache, dy: Out) -> Table:
        np.matmul(dy.T, cache.x, out=site.g.W)
        np.sum(dy, axis=0, out=site.g.b)
        return dy @ site.p.W

    def explain(self, part: LayerPart) -> None:
        x, y, dx, dy = part.x, part.y, part.dx, part.dy
        W, b = part.p.W, part.p.b
        rows, units, inputs = range(len(x.values)), range(self.units), range(x.shape[1])
        y.by(lambda i, u: total(x[i, k] * W[u, k] for k in inputs) + b[u], x.all @ W.all.T + b.all)
        if not part.has_slopes:
            return
        part.g.W.by(lambda u, k: total(dy[i, u] * x[i, k] for i in rows), dy.all.T @ x.all)
        part.g.b.by(lambda u: total(dy[i, u] for i in rows), SUM_OF_ROWS(dy.all))
        dx.by(lambda i, k: total(dy[i, u] * W[u, k] for u in units), dy.all @ W.all)
