"""Penalties on parameters, and the limit on the norm of a unit's incoming weights.

The convention: ``l1 * sum |w| + l2 * sum w^2`` is added to the mean loss, as in Kinsley and
Kukiela 2020 (chapter 14), so the gradient of the second part is ``2 * l2 * w``.  scikit-learn's
MLP adds ``alpha / (2 n) * sum w^2`` for a batch of n rows: ``l2 = alpha / (2 n)``.  PyTorch's
``weight_decay`` adds ``wd * w`` to the gradient: ``l2 = wd / 2``.  A layer declares its
penalties in its settings (`Dense`), or has one in a form of its own (`thinnet.layers.base`); they
act on what is present, and are not rescaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_sum, tree_sum
from thinnet.arrays import Array
from thinnet.layers import Dense, Layer
from thinnet.passes import Run, Site


@dataclass(frozen=True, slots=True)
class Penalty:
    """``l1 * sum |w| + l2 * sum w^2``, with derivative 0 of ``|w|`` at 0.

    Raises
    ------
    ValueError
        If a factor is negative.

    Examples
    --------
    >>> Penalty(l1=1.0, l2=0.5).value(np.array([1.0, -2.0]))
    5.5
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        checks.non_negative("l1", self.l1)
        checks.non_negative("l2", self.l2)

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def value(self, w: Array) -> float:
        rows = w.astype(np.float64, copy=False).reshape(1 if w.ndim == 1 else len(w), -1)
        found = 0.0
        if self.l1:
            found += self.l1 * _sum_of(np.abs(rows))
        if self.l2:
            found += self.l2 * _sum_of(np.square(rows))
        return found

    def gradient(self, w: Array) -> Array:
        return w.dtype.type(self.l1) * np.sign(w) + w.dtype.type(2 * self.l2) * w

    def add_gradient(self, w: Array, g: Array, factor: float) -> None:
        np.add(g, Penalty(factor * self.l1, factor * self.l2).gradient(w), out=g)


def _sum_of(rows: Array) -> float:
    """The sum of all numbers: of each unit's in 16 partial sums, and over the units."""
    return float(tree_sum(lane_sum(np.ascontiguousarray(rows.T))))


class OwnPenalty(NamedTuple):
    """A penalty in a layer's own form, which acts on its whole site."""

    layer: Any

    def value(self, site: Site) -> float:
        return self.layer.penalty(site)

    def add_gradient(self, site: Site, same_site: Site, factor: float) -> None:
        self.layer.add_penalty(site, factor)


@runtime_checkable
class Network(Protocol):
    """The part of a network that penalties need."""

    def places(self) -> Iterator[tuple[Layer, Site]]: ...


class Penalised(NamedTuple):
    """A penalty with views of parameters and gradient; an `OwnPenalty` has its site for both."""

    penalty: Any
    parameters: Any
    gradient: Any


def _dense_places(network: Network) -> Iterator[tuple[Dense, Any]]:
    for layer, site in network.places():
        dense = getattr(layer, "dense", layer)  # a layer may wrap one
        if isinstance(dense, Dense):
            yield dense, site


def penalised(network: Network) -> list[Penalised]:
    """The penalties of a network, each with views of what it acts on."""
    own = [
        Penalised(OwnPenalty(layer), site, site)
        for layer, site in network.places()
        if hasattr(layer, "add_penalty")
    ]
    found = []
    for layer, site in _dense_places(network):
        if layer.l1 or layer.l2:
            found.append(Penalised(Penalty(layer.l1, layer.l2), site.p.W, site.g.W))
        if layer.bias_l1 or layer.bias_l2:
            penalty = Penalty(layer.bias_l1, layer.bias_l2)
            found.append(Penalised(penalty, site.p.b, site.g.b))
    return found + own


def penalty_value(network: Network) -> float:
    """The sum of all penalties of a network; absent parameters count too."""
    total = 0.0
    for p in penalised(network):
        total += p.penalty.value(p.parameters)
    return total


class Penalties:
    """The penalties of a network, which is asked whether it has any once for its layers."""

    def __init__(self, network: Any) -> None:
        self._network, self._layers, self._are_there = network, None, False

    def value(self) -> float:
        layers = self._network.layers
        if self._layers is not layers:
            self._layers, self._are_there = layers, bool(penalised(self._network))
        return penalty_value(self._network) if self._are_there else 0.0


def add_penalty_gradient(network: Network, factor: float = 1.0) -> None:
    """Add `factor` times the penalties' gradients to those that `Network.backward` has written."""
    for penalty, w, g in penalised(network):
        penalty.add_gradient(w, g, factor)


def limit_norms(network: Network, run: Run) -> None:
    """Scale a unit's incoming weights back to the layer's `max_norm` where they exceed it.

    The norm is that of the unit's whole row of weights; units absent from the step are left alone.
    """
    for layer, site in _dense_places(network):
        if layer.max_norm is None:
            continue
        norms = np.linalg.norm(site.p.W, axis=1, keepdims=True)
        present = site.presence(run)
        over = norms > layer.max_norm
        if present is not None:
            over &= present[:, None]
        np.divide(site.p.W * site.p.W.dtype.type(layer.max_norm), norms, out=site.p.W, where=over)
