"""The base of all estimators with draws."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.uncertainty.draws.drawing import Drawer, How
from thinnet.uncertainty.draws.heads import Head


class Drawn:
    """The methods of an estimator that its other uses of draws need."""

    @property
    @abstractmethod
    def head_(self) -> Head:
        """The head that gives the networks' outputs their meaning."""

    @abstractmethod
    def _drawer(self, X: MatrixLike) -> Drawer:
        """The networks, and the rows as they take them."""

    @abstractmethod
    def _entering(self, X: MatrixLike) -> Any:
        """The rows as the networks take them."""

    def _paired(self, X: MatrixLike, y: TargetLike) -> tuple[Any, Any]:
        """The rows and their targets, which may be in one table."""
        return X, y

    def _with_targets(self, X: MatrixLike, y: TargetLike) -> tuple[Drawer, Array]:
        """The drawer of the rows, and their targets in the head's form."""
        X, y = self._paired(X, y)
        drawer, known = self._drawer(X), self.head_.known(y)
        checks.same_length("y", known, "X", drawer.rows)
        return drawer, known

    def _sample(self, X: MatrixLike, how: How, first: int) -> Array:
        """The prediction of each draw, shape (n_draws, rows, n_classes or n_outputs)."""
        outputs = self._drawer(X).sample(how.checked(), first)
        return self.head_.of_draws(outputs)


def drawer_of(estimator: Drawn, X: MatrixLike) -> Drawer:
    """The networks of a fitted estimator, and the rows as they take them."""
    return estimator._drawer(X)


def entering(estimator: Drawn, X: MatrixLike) -> Any:
    """The rows as the networks of a fitted estimator take them, whether or not these draw."""
    return estimator._entering(X)
