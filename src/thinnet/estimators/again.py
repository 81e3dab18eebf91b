"""The rows of a fit, read again as its network was trained on them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sklearn.utils.validation import check_is_fitted

from thinnet.arrays import Array, MatrixLike, TargetLike, VectorLike
from thinnet.estimators import validation
from thinnet.uncertainty.draws.heads import Head


class ReadsAgain:
    """A base of `MLPClassifier` and `MLPRegressor`, not for use by itself."""

    @property
    @abstractmethod
    def head_(self) -> Head:
        """The head that gives the network's outputs their meaning."""

    @abstractmethod
    def _row_weights(self, X: Any, y: Any, given: Any, incremental: bool) -> Array | None:
        """The weight of each row, by its class and as it was given."""

    def rows_of_fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        bootstrap: int | None = None,
    ) -> tuple[MatrixLike, Array, Array | None]:
        """Rows, targets and weights as `fit` learned from them, for `Recording.on`.

        Parameters
        ----------
        X, y, sample_weight
            As they were given to `fit`.
        bootstrap : int, optional
            The seed of a bootstrap sample; of no use here.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the data is not like that of fit.
        """
        check_is_fitted(self)
        X, y = validation.to_fit(self, self, X, y, reset=False)
        return X, self.head_.targets(y), self._row_weights(X, y, sample_weight, False)
