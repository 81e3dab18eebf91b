"""A network's weights in scikit-learn's shapes, which may be assigned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sklearn.base import BaseEstimator

from thinnet.estimators import weights
from thinnet.network import Network

VIEWS: Final = {"_coefs": weights.coefs, "_intercepts": weights.intercepts}


class LinkedWeights(BaseEstimator):
    """An estimator that shows the arrays of its `network_` as `coefs_` and `intercepts_`."""

    network_: Network

    @property
    def coefs_(self) -> list[Any]:
        """Weights of each layer, shape (n_in, n_out); may be assigned, whole or one by one."""
        return self._attribute("_coefs")

    @coefs_.setter
    def coefs_(self, value: Sequence[Any]) -> None:
        self._coefs = value

    @property
    def intercepts_(self) -> list[Any]:
        """Biases of each layer, shape (n_out,); may be assigned, whole or one by one."""
        return self._attribute("_intercepts")

    @intercepts_.setter
    def intercepts_(self, value: Sequence[Any]) -> None:
        self._intercepts = value

    def _attribute(self, name: str) -> Any:
        shown = self.__dict__.get(name)
        if shown is None:
            if not self.__sklearn_is_fitted__():
                raise AttributeError(f"{type(self).__name__} has {name[1:]}_ only after fit")
            shown = self.__dict__.setdefault(name, VIEWS[name](self.network_))
        return shown

    def _link(self) -> None:
        """Show the network's own arrays as `coefs_` and `intercepts_`, when they are asked for."""
        for name in VIEWS:
            self.__dict__.pop(name, None)

    def _take_assigned(self) -> None:
        """Copy arrays that were assigned to `coefs_` and `intercepts_` into the network.

        What was shown is not kept: as long as there are views of them, weights may change.
        """
        for name, views in VIEWS.items():
            shown = self.__dict__.get(name)
            if shown is not None:
                weights.assign(f"{name[1:]}_", views(self.network_), shown)
            if self.__dict__.get(name) is shown:
                self.__dict__.pop(name, None)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __getstate__(self) -> dict[str, Any]:
        """Without views, which a copy makes anew around the copied network."""
        if self.__sklearn_is_fitted__():
            self._take_assigned()
        return super().__getstate__()


def linked(estimator: LinkedWeights) -> Network:
    """The network of a fitted estimator, with the weights that were assigned to it."""
    estimator._take_assigned()
    return estimator.network_


def link(estimator: LinkedWeights) -> None:
    """Show the weights of a network that was read from a file."""
    estimator._link()
