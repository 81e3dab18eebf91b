"""The networks to export, and the libraries that only exporting needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np
from sklearn.utils.validation import check_is_fitted

from thinnet.checks import MissingLibraryError, must
from thinnet.estimators.base import MLP
from thinnet.estimators.linked import linked
from thinnet.network import Network

EXTRAS: Final = {"onnx": "'thinnet[onnx]'"}
TYPES: Final = (np.dtype(np.float32), np.dtype(np.float64))


def needed(package: str, what: str) -> Any:
    """A library that only `what` needs; MissingLibraryError if it isn't installed."""
    try:
        return import_module(package)
    except ImportError as error:
        how = EXTRAS.get(package, package)
        raise MissingLibraryError(
            f"{what} needs the library {package}: pip install {how}"
        ) from error


def network_of(model: Network | MLP) -> Network:
    """The network itself, or an estimator's network with the weights that were assigned to it."""
    if isinstance(model, MLP):
        check_is_fitted(model)
        model = linked(model)
    if not isinstance(model, Network):
        which = "a Network, MLPClassifier or MLPRegressor"
        raise ValueError(f"model must be {which}, got {type(model).__name__}")
    must(model.dtype in TYPES, "the network's type", "float32 or float64", str(model.dtype))
    return model
