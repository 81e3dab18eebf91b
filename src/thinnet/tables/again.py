"""The rows of a fit, encoded again as its networks were trained on them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from thinnet.arrays import Array, TableLike, TargetLike, VectorLike
from thinnet.tables import going_on, members, splitting
from thinnet.tables.beside import Given
from thinnet.tables.members import TableRows
from thinnet.tables.reading.frames import frame_of


class EncodesAgain:
    """A base of `TableClassifier` and `TableRegressor`, not for use by itself."""

    def rows_of_fit(
        self,
        X: TableLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        bootstrap: int | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """Encoded rows, targets and weights as networks learned from them (`Recording.on`).

        Weights, groups and times that were columns of X are taken from there again.  Target means
        come from the same folds where `random_state` is an integer.

        Parameters
        ----------
        X, y, sample_weight
            As they were given to `fit`.
        bootstrap : None

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the table is not like that of fit.
        """
        check_is_fitted(self)
        rows = copy.copy(self)._as_in_fit(X, y, sample_weight)  # reading notes what it finds
        return rows.X, rows.y, rows.weights

    def _as_in_fit(self: Any, X: Any, y: Any, sample_weight: Any) -> TableRows:
        given = _given(self, X, sample_weight)
        if hasattr(X, "columns") and not isinstance(y, str):
            own = {*self.encoder_.names_in_, *given.names.values()}
            X = X[[name for name in X.columns if name in own]]
        taken = self._taken(self._table(X, y, given, first=False), given)
        rows, own = taken.table.X, taken.beside.weights
        targets = self._learned_targets(taken.table.y, first=False)
        stream = check_random_state(self.random_state)
        splits = list(splitting.splits(self, targets, stream, taken.beside))
        folds = splitting.folds_of_means(splits, taken.beside)
        encoded = going_on.encoded(self.encoder_, rows, one_number(targets), folds)
        weights = members.product(own, self._weights(targets))
        return TableRows(encoded.astype(self.dtype, copy=False), targets, weights, own)


def _given(estimator: Any, X: Any, sample_weight: Any) -> Given:
    names = set(frame_of(X).columns) if hasattr(X, "shape") else set()
    known = (vars(estimator).get(f"{role}_name_") for role in ("weight", "group", "time"))
    weight, group, time = (name if name in names else None for name in known)
    return Given(weight if sample_weight is None else sample_weight, group, time)


def one_number(targets: Array) -> Array | None:
    """The number by which categories are encoded: the target, or its class; None for several."""
    if targets.ndim == 1:
        return targets
    return np.asarray(targets[:, 0]) if targets.shape[1] == 1 else None
