"""The data of a training, checked once at the border."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from thinnet import checks, philox, sparse
from thinnet.arithmetic import total_weight
from thinnet.arrays import Array, Ids, Weights
from thinnet.engine.rounding_mode import standard_mode
from thinnet.losses import Loss
from thinnet.masks import row_ids
from thinnet.network import Network

CLEAN = 1  # the coordinate "step" of the clean subsample's keys; validation splits have 0


class Data(NamedTuple):
    X: Any  # an array, or a CSR matrix
    targets: Array
    weights: Weights | None
    ids: Ids

    @property
    def n_rows(self) -> int:
        return int(self.X.shape[0])

    def part(self, rows: Array) -> Data:
        """The data of some rows."""
        return Data(self.X[rows], self.targets[rows], self.weights_of(rows), self.ids[rows])

    def weights_of(self, rows: Array) -> Weights | None:
        return None if self.weights is None else self.weights[rows]

    def total(self, rows: Array) -> float:
        """The sum of the rows' weights."""
        return float(len(rows)) if self.weights is None else total_weight(self.weights[rows])

    def fingerprint(self) -> str:
        """The shape and type of `X`, and a checksum of all arrays."""
        value = 0
        for part in (*sparse.pieces(self.X), self.targets, self.weights, self.ids):
            if part is not None:
                in_bytes = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
                value = zlib.crc32(in_bytes.data, value)
        return f"{self.X.shape} {self.X.dtype} {value:08x}"


@standard_mode()
def checked_data(
    network: Network,
    loss: Loss,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    samples: Any = None,
    name: str = "",
) -> Data:
    """Rows, targets, weights and ids as arrays of one length; ValueError where they don't fit."""
    X = sparse.data_rows(f"{name}X", X)
    if X.shape[1:] != network.features:
        network.fitting(X)  # it raises the network's own error for a wrong shape
    _check_range(f"{name}X", X, network.dtype)
    network.check_encoded(X)
    try:
        targets = loss.targets(y, network.out)
    except ValueError as error:
        raise ValueError(f"{name}{error}") from None
    n = X.shape[0]
    checks.same_length(f"{name}y", targets, f"{name}X", n)
    ids = row_ids(samples, n, "X")
    return Data(X, targets, _checked_weights(sample_weight, n), ids)


def held_out(network: Network, loss: Loss, validation: Any) -> Data | None:
    """The rows of `train(validation=)`, checked."""
    if validation is None:
        return None
    fits = isinstance(validation, tuple | list) and len(validation) in (2, 3)
    got = f"a {type(validation).__name__}"
    got += f" of {len(validation)}" if isinstance(validation, tuple | list) else ""
    checks.must(fits, "validation", "a pair (X, y) or (X, y, sample_weight)", got)
    X, y, weights = (*validation, None)[:3]
    return checked_data(network, loss, X, y, weights, name="validation ")


def _check_range(name: str, X: Any, dtype: np.dtype) -> None:
    """ValueError where a value is not finite, or would not be in the network's type."""
    sparse.finite(name, X, X.dtype)
    values, limit = sparse.pieces(X)[0], float(np.finfo(dtype).max)
    if values.size and max(float(values.max()), -float(values.min())) > limit:
        where, place = checks.first_place(np.abs(sparse.dense(X)) > limit)
        raise ValueError(
            f"{name} must be within +-{limit:g}, the range of {dtype}, got {X[where]:g} in {place}"
        )


def _checked_weights(sample_weight: Any, rows: int) -> Weights | None:
    if sample_weight is None:
        return None
    weights = checks.numeric("sample_weight", sample_weight).astype(np.float64)
    checks.must(weights.ndim == 1, "sample_weight", "one-dimensional", weights.shape)
    checks.finite("sample_weight", weights)
    checks.same_length("sample_weight", weights, "X", rows)
    least = float(weights.min())
    checks.must(least >= 0, "sample_weight", ">= 0 everywhere", least)
    checks.must(weights.sum() > 0, "sample_weight", "above 0 somewhere", 0.0)
    checks.must(np.isfinite(weights.sum()), "the sum of sample_weight", "finite", np.inf)
    return weights


def clean_subsample(network: Network, rows: int, at_most: int) -> Array:
    """A fixed part of the rows, on which the clean training score is measured."""
    if rows <= at_most:
        return np.arange(rows)
    return np.sort(philox.permutation(network.seed, "split", CLEAN, rows)[:at_most])
