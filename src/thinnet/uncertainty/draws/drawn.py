"""What all estimators with error bars share: the draws themselves."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.uncertainty.draws.drawing import Drawer, How
from thinnet.uncertainty.draws.heads import Head


class Drawn:
    """What an estimator can say by its draws."""

    @property
    @abstractmethod
    def head_(self) -> Head:
        """What the networks' outputs mean."""

    @abstractmethod
    def _drawer(self, X: MatrixLike) -> Drawer:
        """The networks, and the rows as they take them."""

    def _paired(self, X: MatrixLike, y: TargetLike) -> tuple[Any, Any]:
        """Rows and their targets, which may lie in one table."""
        return X, y

    def _with_targets(self, X: MatrixLike, y: TargetLike) -> tuple[Drawer, Array]:
        """The drawer of the rows, and their targets as the head knows them."""
        X, y = self._paired(X, y)
        drawer, known = self._drawer(X), self.head_.known(y)
        checks.same_length("y", known, "X", drawer.rows)
        return drawer, known

    def _sample(self, X: MatrixLike, how: How, first: int) -> Array:
        """What each draw predicts, shape (n_draws, rows, n_classes or n_outputs)."""
        outputs = self._drawer(X).sample(how.checked(), first)
        return self.head_.of_draws(outputs)


def drawer_of(estimator: Drawn, X: MatrixLike) -> Drawer:
    """The networks of a fitted estimator, and the rows as they take them."""
    return estimator._drawer(X)
