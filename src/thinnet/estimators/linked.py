"""A network's weights in scikit-learn's shapes, which may be assigned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from thinnet.estimators import weights
from thinnet.network import Network


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
        if name not in vars(self):
            raise AttributeError(f"{type(self).__name__} has {name[1:]}_ only after fit")
        return vars(self)[name]

    def _link(self) -> None:
        """Show the network's own arrays as `coefs_` and `intercepts_`."""
        self._own_coefs = tuple(weights.coefs(self.network_))
        self._own_intercepts = tuple(weights.intercepts(self.network_))
        self._coefs, self._intercepts = list(self._own_coefs), list(self._own_intercepts)

    def _take_assigned(self) -> None:
        """Copy arrays that were assigned to `coefs_` and `intercepts_` into the network."""
        weights.assign("coefs_", self._own_coefs, self._coefs)
        weights.assign("intercepts_", self._own_intercepts, self._intercepts)
        self._coefs, self._intercepts = list(self._own_coefs), list(self._own_intercepts)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the views, which a copy makes anew around the copied network."""
        if self.__sklearn_is_fitted__():
            self._take_assigned()
        views = {"_own_coefs", "_own_intercepts", "_coefs", "_intercepts"}
        left_out = views if self.__sklearn_is_fitted__() else set()
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.__sklearn_is_fitted__():
            self._link()


def linked(estimator: LinkedWeights) -> Network:
    """The network of a fitted estimator, with the weights that were assigned to it."""
    estimator._take_assigned()
    return estimator.network_


def link(estimator: LinkedWeights) -> None:
    """Show the weights of a network that was read from a file."""
    estimator._link()
