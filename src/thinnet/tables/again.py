"""The rows of a fit, encoded again as its networks were trained on them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from thinnet.arrays import Array
from thinnet.tables import going_on, members, splitting
from thinnet.tables.beside import Given
from thinnet.tables.members import TableRows
from thinnet.tables.reading.frames import frame_of


def rows_of_fit(estimator: Any, X: Any, y: Any, sample_weight: Any) -> TableRows:
    """Encoded rows, targets and weights as in the fit of `estimator` to these.

    Weights, groups and times that were columns of X are taken from there again.  Target means come
    from the same folds where `random_state` is an integer.
    """
    again = copy.copy(estimator)  # reading a table notes what it finds
    given = _given(again, X, sample_weight)
    taken = again._taken(again._table(X, y, given, first=False), given)
    rows = taken.table.X
    targets = again._learned_targets(taken.table.y, first=False)
    stream = check_random_state(again.random_state)
    splits = list(splitting.splits(again, targets, stream, taken.beside))
    folds = splitting.folds_of_means(splits, taken.beside)
    encoded = going_on.encoded(again.encoder_, rows, one_number(targets), folds)
    own = taken.beside.weights
    weights = members.product(own, again._weights(targets))
    return TableRows(encoded.astype(again.dtype, copy=False), targets, weights, own)


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
