"""The heads of tables' estimators, which know class weights, thresholds and amounts besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from thinnet.arithmetic import log
from thinnet.arrays import Array, TargetLike
from thinnet.checks import quoted
from thinnet.engine.rounding_mode import standard_mode
from thinnet.tables.columns import amounts
from thinnet.tables.deciding import Decision
from thinnet.uncertainty.draws.heads import ClassHead, NumberHead


@dataclass(frozen=True, eq=False)
class WeighedHead(ClassHead):
    """A head for classes that were weighed in training, or are decided by a threshold.

    Parameters
    ----------
    weights : array, shape (n_classes,), optional
        The weights of the classes in training.
    decision : Decision, optional
        The threshold that decides.
    """

    weights: Array | None = None
    decision: Decision | None = None

    @property
    def is_decided(self) -> bool:
        """Whether weights or a threshold decide on the class, not the largest probability."""
        return self.decision is not None or self.weights is not None

    def targets(self, y: Any) -> Array:
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            there = ", ".join(map(quoted, self.classes.tolist()))
            raise ValueError(f"y must hold the classes {there}, got {str(unknown[0])!r}")
        return np.asarray(np.searchsorted(self.classes, y))

    def known(self, y: TargetLike) -> Array:
        return super().known(column_or_1d(y, warn=True))

    def log_weights(self) -> Array | None:
        """The logs of the weights, which training has added to logits; 0 for a weight of 0."""
        if self.weights is None:
            return None
        return log(np.where(self.weights > 0, self.weights, 1.0))

    @standard_mode()
    def predict(self, outputs: Array) -> Array:
        """Probabilities from raw outputs: the factor ``weight`` in them is divided out."""
        logs = self.log_weights()
        return super().predict(outputs if logs is None else (outputs - logs).astype(outputs.dtype))

    def places(self, p: Array) -> Array:
        if self.decision is not None:
            return np.asarray(self.decision.places(p))
        return super().places(p if self.weights is None else p * self.weights)


@dataclass(frozen=True, eq=False)
class AmountHead(NumberHead):
    """A head for numbers that a table may hold as amounts such as "$1,023.45".

    Parameters
    ----------
    decimals : str, optional
        A decimal mark for each target of amounts.
    """

    decimals: str | None = None

    def targets(self, y: Any) -> Array:
        return self.units.forward(self.read(y))

    def read(self, y: TargetLike) -> Array:
        return super().read(amounts.plain(y, self.decimals))
