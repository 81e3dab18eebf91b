"""The data of a recording from a file: found again in what a training or a fit was given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.checks import one_line
from thinnet.recording.tapes import Tape
from thinnet.tables.reading import read_table
from thinnet.training.data import Data, checked_data


class Given(NamedTuple):
    """What `train` or `fit` was given."""

    X: Any
    y: Any
    sample_weight: Any = None
    samples: Any = None


def of_table(given: Given, places: Array | None) -> Given:
    """What a fit was given of a table, or of its file, of which it has some rows."""
    X, y = given[:2]
    if isinstance(X, str | os.PathLike):
        X = read_table(X)[0]
    if places is None or not hasattr(X, "columns") or len(X) <= int(places.max(initial=0)):
        return given._replace(X=X)
    if len(X) == len(places):
        return given
    if isinstance(y, str):
        checks.must(y in X.columns, "y", "targets or the name of their column", y)
        X, y = X.drop(columns=y), X[y]
    own = np.asarray(y)[places]
    return given._replace(X=X.iloc[places].reset_index(drop=True), y=own)


def give(tapes: Sequence[Tape], estimator: Any, given: Given) -> None:
    """Give each tape its data; ValueError if that of none is among what is given."""
    reasons: list[str] = []
    found = 0
    for tape in tapes:
        try:
            data = _data(tape, estimator, given)
        except ValueError as error:
            reasons.append(one_line(error))
            continue
        if data.fingerprint() == tape.checksum:
            tape.data, found = data, found + 1
        else:
            reasons.append(f"checksum {data.fingerprint()} instead of {tape.checksum}")
    if not found:
        reason = reasons[0] if reasons else "nothing is recorded"
        raise ValueError(f"X and y must be the data of the training, got other data ({reason})")


def _data(tape: Tape, estimator: Any, given: Given) -> Data:
    network, ids = tape.network(tape.frames[0].clock), tape.entry.ids
    if tape.source is None or estimator is None:
        samples = given.samples if given.samples is not None or _absent(ids) else ids
        return checked_data(network, tape.plan.loss, given.X, given.y, given.sample_weight, samples)
    places, bootstrap, _ = tape.source
    places = places if _absent(ids) else ids  # estimators of arrays have places as ids
    X, targets, weights = estimator.rows_of_fit(given.X, given.y, given.sample_weight, bootstrap)
    if places is not None:
        last = int(places.max(initial=0))
        if last >= X.shape[0]:
            raise ValueError(f"{X.shape[0]:,} rows, where row {last:,} was learned from")
        X, targets = X[places], targets[places]
        weights = None if weights is None else weights[places]
    return checked_data(network, tape.plan.loss, X, targets, weights, ids)


def _absent(ids: Array | None) -> bool:
    return ids is None or not ids.size
