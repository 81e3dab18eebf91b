"""A report of activations and gradients that vanish or explode."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from thinnet import checks, sparse
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.console.tables import as_html, as_text
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.passes import Run, Site
from thinnet.training.data import Data, checked_data

VANISHING, EXPLODING = 1e-3, 1e3  # relative to the gradient at the last layer


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """Euclidean norms at one layer, over all rows of the pass.

    `activations` is the norm of its output, `gradients` that of the gradient by its output, and
    `parameters` that of the gradient by its parameters (NaN where it has none).
    """

    layer: str
    activations: float
    gradients: float
    parameters: float
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class GradientReport:
    """The norms of activations and gradients through a network; it prints as a table."""

    layers: tuple[LayerGradients, ...]
    verdict: str

    def table(self) -> Table:
        table = Table(title="norms in one training pass", caption=self.verdict)
        for column in ("layer", "activations", "gradients", "parameter gradients", "verdict"):
            table.add_column(column, justify="right" if column.endswith("s") else "left")
        for row in self.layers:
            numbers = (row.activations, row.gradients, row.parameters)
            shown = ("" if math.isnan(n) else f"{n:.2e}" for n in numbers)
            table.add_row(row.layer, *shown, row.verdict)
        return table

    def __str__(self) -> str:
        return as_text(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.table())


def gradient_report(
    network: Network, x: MatrixLike, y: TargetLike, loss: Loss | None = None
) -> GradientReport:
    """Norms of activations and gradients, layer by layer, and where they vanish or explode.

    They come from one training pass over all rows, dropout on.  Running statistics are put back
    afterwards; `network.gradient` holds the gradient of the pass.

    Parameters
    ----------
    network : Network
    x : array, shape (rows, *features)
    y : array
        Targets as the loss takes them.
    loss : Loss, optional
        As in `train`.

    Returns
    -------
    GradientReport
        A layer's gradient vanishes where its root mean square is below 1/1000 of that at the
        last layer, and explodes where it is above 1000 times it; likewise its activations
        against the input (Glorot and Bengio 2010, section 4).

    Raises
    ------
    ValueError
        If `x` or `y` doesn't fit the network or the loss.

    Examples
    --------
    >>> from thinnet import Dense, Network, Sigmoid
    >>> layers = [layer for _ in range(8) for layer in (Dense(8), Sigmoid())]
    >>> network = Network([*layers, Dense(2)], features=8, seed=0)
    >>> report = gradient_report(network, np.ones((4, 8)), [0, 1, 0, 1])
    >>> report.layers[0].verdict
    'gradient vanishes'
    """
    loss = loss_for(y) if loss is None else loss
    checks.of_kind("loss", loss, Loss)
    data = checked_data(network, loss, x, y)
    state = network.state.copy()
    try:
        with np.errstate(all="ignore"):
            return _report(network, loss, data)
    finally:
        network.state[:] = state


def _norm(values: Any) -> float:
    return float(np.sqrt(np.square(values, dtype=np.float64).sum()))


def _verdict(what: str, ratio: float) -> str:
    if not math.isfinite(ratio):
        return f"{what} not finite"
    if ratio < VANISHING:
        return f"{what} vanishes"
    return f"{what} explodes" if ratio > EXPLODING else ""


def _report(network: Network, loss: Loss, data: Data) -> GradientReport:
    """Take one pass and note the norms at every layer."""
    sizes: list[float] = []
    activations: list[float] = []
    gradients: list[float] = []
    parameters: list[float] = []

    def forward(site: Site, y: Array) -> None:
        sizes.append(math.sqrt(y.size))
        activations.append(_norm(y))

    def backward(site: Site, dy: Array) -> None:
        gradients.insert(0, _norm(dy))
        flat = [g.ravel() for g in site.g]
        parameters.insert(0, _norm(np.concatenate(flat)) if flat else math.nan)

    X = sparse.dense(data.X)
    y, cache = network.forward(X, Run.train(network.clock.step), forward)
    network.backward(cache, loss(y, data.targets)[1], backward)
    at_input = _norm(X) / math.sqrt(X.size) or 1.0
    at_end = gradients[-1] / sizes[-1] or 1.0
    rows = [
        LayerGradients(site.name, a, g, p, _both(a / size / at_input, g / size / at_end))
        for site, size, a, g, p in zip(
            network.sites, sizes, activations, gradients, parameters, strict=True
        )
    ]
    bad = [f"{row.layer}: {row.verdict}" for row in rows if row.verdict]
    return GradientReport(
        tuple(rows), "; ".join(bad) or "gradients and activations keep their size"
    )


def _both(activation: float, gradient: float) -> str:
    verdicts = (_verdict("activation", activation), _verdict("gradient", gradient))
    return ", ".join(verdict for verdict in verdicts if verdict)
