"""Networks as PyTorch's Sequential, and their arrays under its names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array, MatrixLike
from thinnet.checks import finite, must
from thinnet.estimators.base import MLP
from thinnet.export.models import needed, network_of
from thinnet.export.torch_modules import module_of
from thinnet.layers import BatchNorm, Columns, ConcreteDropout, Dense, DropConnect, LayerNorm
from thinnet.network import Network
from thinnet.passes import Site


class Place(NamedTuple):
    """An array of a network that PyTorch has too, or the count of batches, a scalar there."""

    view: Array
    counts: bool = False

    def exported(self) -> Array:
        return np.array(self.view.max(), np.int64) if self.counts else self.view.copy()


def to_torch(model: Network | MLP) -> Any:
    """A torch.nn.Sequential that predicts as the network does.

    Module i stands for layer i:

    ============================= ========================================================
    Dense, DropConnect,           ``Linear``: ``i.weight``, ``i.bias``
    ConcreteDropout
    Columns                       a ``Linear`` that makes its inputs: ``i.weight``, ``i.bias``
    BatchNorm                     ``BatchNorm1d`` (or 2d, 3d): ``i.weight``, ``i.bias``,
                                  ``i.running_mean``, ``i.running_var``,
                                  ``i.num_batches_tracked``
    LayerNorm                     ``LayerNorm``: ``i.weight``, ``i.bias``
    activations, Flatten          the module of the same name
    Dropout, AlphaDropout         the same, with the present rate and a mask for each number
    GaussianDropout, -Noise       ``Identity``, as in prediction
    ============================= ========================================================

    Parameters
    ----------
    model : Network, MLPClassifier or MLPRegressor
        An estimator's network is taken: its outputs are raw.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode, of the network's type, with copies of its numbers.

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If torch.nn has no module for a layer (a layer of your own, FixedMasks, Dropout with
        classical scaling, BatchNorm along another than the first of several feature axes), or
        PyTorch is not installed.

    Examples
    --------
    >>> from thinnet import Dense, Dropout, Network, ReLU
    >>> from thinnet.export import to_torch
    >>> network = Network([Dense(8), ReLU(), Dropout(0.5), Dense(3)], features=4, seed=0)
    >>> to_torch(network)  # doctest: +SKIP
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.5, inplace=False)
      (3): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    torch, network = needed("torch", "to_torch"), network_of(model)
    sequential = _sequential(torch, network)
    # NumPy takes an array without axes as a scalar, so PyTorch gets its value.
    state = {name: torch.tensor(place.exported()) for name, place in _places(network).items()}
    sequential.load_state_dict(state, assign=True)
    return sequential.eval()


def to_torch_state(model: Network | MLP) -> dict[str, Any]:
    """The numbers of a network under PyTorch's names, those of `thinnet.export.to_torch`.

    Parameters
    ----------
    model : Network, MLPClassifier or MLPRegressor

    Returns
    -------
    dict of torch.Tensor
        Copies, of the network's type.

    Raises
    ------
    NotFittedError, ValueError
        As by `thinnet.export.to_torch`.

    Examples
    --------
    >>> from thinnet import Dense, Dropout, Network, to_torch_state
    >>> network = Network([Dropout(0.5), Dense(3)], features=4, seed=0)
    >>> {name: tuple(a.shape) for name, a in to_torch_state(network).items()}  # doctest: +SKIP
    {'1.weight': (3, 4), '1.bias': (3,)}
    """
    return dict(to_torch(model).state_dict())


def from_torch_state(model: Network | MLP, state: Mapping[str, MatrixLike]) -> None:
    """Load numbers under PyTorch's names, those of `thinnet.export.to_torch`, into a network.

    All are checked before the first is loaded.  Optimisers' states stay as they are.

    Parameters
    ----------
    model : Network, MLPClassifier or MLPRegressor
        The model, which is changed in place.
    state : mapping of str to torch.Tensor
        Such as ``sequential.state_dict()``, with all names, shapes and types of the network.

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If a name is missing or unknown, an array has another shape or type or is not finite, or a
        variance is below 0; or as by `thinnet.export.to_torch`.

    Examples
    --------
    >>> from thinnet import Dense, Dropout, Network, from_torch_state, to_torch_state
    >>> network = Network([Dropout(0.5), Dense(3)], features=4, seed=0)
    >>> other = Network(network.layers, features=4, seed=1)
    >>> from_torch_state(other, to_torch_state(network))  # doctest: +SKIP
    >>> bool((other.theta == network.theta).all())  # doctest: +SKIP
    True
    """
    torch, network = needed("torch", "from_torch_state"), network_of(model)
    _sequential(torch, network)
    places = _places(network)
    _check_names(places, state)
    found = {name: _checked(torch, name, state[name], place) for name, place in places.items()}
    for name, place in places.items():
        place.view[...] = found[name]


def _sequential(torch: Any, network: Network) -> Any:
    """The modules without numbers, made without a change of PyTorch's generator."""
    with torch.device("meta"):
        return torch.nn.Sequential(*(module_of(torch.nn, *place) for place in network.places()))


def _places(network: Network) -> dict[str, Place]:
    return {
        f"{i}.{name}": place
        for i, (layer, site) in enumerate(network.places())
        for name, place in _places_in(layer, site).items()
    }


def _places_in(layer: Any, site: Site) -> dict[str, Place]:
    if isinstance(layer, Columns | Dense | DropConnect | ConcreteDropout):
        return {"weight": Place(site.p.W), "bias": Place(site.p.b)}
    if not isinstance(layer, BatchNorm | LayerNorm):
        return {}
    found = {"weight": Place(site.p.gamma), "bias": Place(site.p.beta)}
    if isinstance(layer, BatchNorm):
        found |= {"running_mean": Place(site.s.mean), "running_var": Place(site.s.variance)}
        found["num_batches_tracked"] = Place(site.counters.seen, counts=True)
    return found


def _check_names(places: Mapping[str, Place], state: Any) -> None:
    must(isinstance(state, Mapping), "state", "a mapping of names to tensors", type(state).__name__)
    for name in places:
        must(name in state, "state", f"one with the name {name!r}", list(state)[:20])
    for name in state:
        must(name in places, "each name of state", f"one of {', '.join(places)}", name)


def _checked(torch: Any, name: str, tensor: Any, place: Place) -> Array:
    what, wanted = f"state[{name!r}]", place.exported()
    is_dense = isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided
    must(is_dense, what, "a dense tensor", type(tensor).__name__)
    must(
        tensor.dtype == getattr(torch, str(wanted.dtype)), what, f"of {wanted.dtype}", tensor.dtype
    )
    shape = tuple(tensor.shape)
    must(shape == wanted.shape, what, f"of shape {wanted.shape}", shape)
    array = np.atleast_1d(tensor.detach().cpu().numpy())
    finite(what, array)
    if place.counts or name.endswith(".running_var"):
        must(array.min() >= 0, what, ">= 0", array.min().item())
    return array
