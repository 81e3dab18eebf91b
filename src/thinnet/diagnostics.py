"""Where activations and gradients vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.run import Run
from thinnet.training.data import Data, checked_data

VANISHING, EXPLODING = 1e-3, 1e3  # of the gradient at the last layer


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """Root mean squares at one layer; `of_parameters` is NaN where there are none."""

    layer: str
    of_activations: float
    of_gradients: float
    of_parameters: float
    verdict: str


@dataclass(frozen=True, slots=True)
class GradientReport:
    """How activations and gradients grow or shrink through a network; printing it shows a table."""

    layers: tuple[LayerGradients, ...]
    verdict: str

    def __str__(self) -> str:
        table = Table(title="root mean squares of one training pass", caption=self.verdict)
        for column in ("layer", "activations", "gradients", "parameter gradients", ""):
            table.add_column(column, justify="right" if "s" in column else "left")
        for row in self.layers:
            numbers = (row.of_activations, row.of_gradients, row.of_parameters)
            shown = ("" if math.isnan(n) else f"{n:.2e}" for n in numbers)
            table.add_row(row.layer, *shown, row.verdict)
        console = Console(width=100)
        with console.capture() as captured:
            console.print(table)
        return captured.get()


def _rms(values: Any) -> float:
    values = np.asarray(values, np.float64)
    return math.sqrt(np.mean(values * values)) if values.size else math.nan


def _verdict(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "not finite"
    if ratio < VANISHING:
        return "vanishes"
    return "explodes" if ratio > EXPLODING else ""


def gradient_report(network: Network, x: Any, y: Any, loss: Loss | None = None) -> GradientReport:
    """Norms of activations and gradients, layer by layer, and where they vanish or explode.

    One training pass with dropout on; running statistics are put back afterwards.

    Parameters
    ----------
    network : Network
    x : array, shape (rows, *features)
    y : array
        Targets as the loss takes them.
    loss : Loss, optional
        By default softmax cross-entropy for integer labels and squared error for other targets.

    Returns
    -------
    GradientReport
        A layer's gradient (with respect to its output) vanishes below 1/1000 of the last
        layer's, and explodes above 1000 times it; likewise its activations against the input's.

    Raises
    ------
    ValueError
        If `x` or `y` doesn't fit the network or the loss.
    """
    loss = loss_for(y) if loss is None else loss
    data = checked_data(network, loss, x, y)
    state = network.state.copy()
    try:
        with np.errstate(all="ignore"):
            return _report(network, loss, data)
    finally:
        network.state[:] = state


def _report(network: Network, loss: Loss, data: Data) -> GradientReport:
    run = Run.train(network.clock.step)
    values, caches = [network.entering(data.X)], []
    for layer, site in network.places():
        value, cache = layer.forward(site, values[-1], run)
        values.append(value)
        caches.append(cache)
    dy = loss(values[-1], data.targets)[1]
    last = _rms(dy) or 1.0
    rows: list[LayerGradients] = []
    for i in reversed(range(len(network.layers))):
        layer, site = network.layers[i], network.sites[i]
        activations, gradients = _rms(values[i + 1]), _rms(dy)
        dy = layer.backward(site, caches[i], dy)
        parameters = _rms(np.concatenate([g.ravel() for g in site.g])) if site.g else math.nan
        grown = _verdict(activations / (_rms(values[0]) or 1.0))
        said = [f"activation {grown}"] if grown else []
        said += [f"gradient {_verdict(gradients / last)}"] if _verdict(gradients / last) else []
        rows.insert(
            0, LayerGradients(site.name, activations, gradients, parameters, ", ".join(said))
        )
    return GradientReport(tuple(rows), _overall(rows))


def _overall(rows: Sequence[LayerGradients]) -> str:
    bad = [f"{row.layer}: {row.verdict}" for row in rows if row.verdict]
    return "; ".join(bad) if bad else "gradients and activations keep their size"
