"""Weights as scikit-learn initialises them, and in its shapes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.layers import Dense
from thinnet.network import Network
from thinnet.passes import Site

SEEDS: Final = 2**63 - 1


def mask_seed(random_state: Any, stream: np.random.RandomState) -> int:
    """The seed of masks: an integer itself, or a number of the stream, which stays as it was."""
    if checks.is_integer(random_state):
        return int(random_state)
    return int(copy.deepcopy(stream).randint(SEEDS, dtype=np.int64))


def dense_sites(network: Network) -> list[Site]:
    """The sites of the Dense layers, wrapped ones included."""
    return [
        site
        for layer, site in network.places()
        if isinstance(getattr(layer, "dense", layer), Dense)
    ]


def coefs(network: Network) -> list[Array]:
    """Views of the weights, shape (n_in, n_out) each."""
    return [site.p.W.T for site in dense_sites(network)]


def intercepts(network: Network) -> list[Array]:
    return [site.p.b for site in dense_sites(network)]


def initialise(network: Network, factor: float, stream: np.random.RandomState) -> None:
    """Write first weights and biases by an activation's `factor`, in scikit-learn's order, so that
    the same `random_state` gives the same ones."""
    for W, b in zip(coefs(network), intercepts(network), strict=True):
        bound = np.sqrt(factor / sum(W.shape))
        W[...] = stream.uniform(-bound, bound, W.shape)
        b[...] = stream.uniform(-bound, bound, b.shape)


def assign(name: str, own: Sequence[Array], given: Sequence[Any]) -> None:
    """Copy arrays that were assigned in place of `own` ones into these."""
    if len(given) != len(own):
        raise ValueError(f"{name} must hold {len(own)} arrays, one a layer, got {len(given)}")
    for i, (view, value) in enumerate(zip(own, given, strict=True)):
        if isinstance(value, Array) and value.__array_interface__ == view.__array_interface__:
            continue  # the network's own
        found = checks.finite(f"{name}[{i}]", checks.numeric(f"{name}[{i}]", value))
        shape = f"of shape {view.shape}"
        checks.must(found.shape == view.shape, f"{name}[{i}]", shape, f"shape {found.shape}")
        view[...] = found
