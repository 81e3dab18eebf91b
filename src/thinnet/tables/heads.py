"""What the networks of a table's estimator mean, with what was learned beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from thinnet.arrays import Array, TargetLike
from thinnet.checks import quoted
from thinnet.tables.columns import amounts
from thinnet.tables.deciding import Decision
from thinnet.uncertainty.draws.heads import ClassHead, NumberHead


@dataclass(frozen=True, eq=False)
class WeighedHead(ClassHead):
    """Classes of which some may have been weighed up, and a threshold may decide.

    Parameters
    ----------
    weights : array, shape (n_classes,), optional
        What training has weighed classes with.
    decision : Decision, optional
        The threshold.
    """

    weights: Array | None = None
    decision: Decision | None = None

    @property
    def is_decided(self) -> bool:
        """Does something else than the largest probability decide on the class?"""
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
        """What training has added to logits; a class of weight 0 it has not seen."""
        if self.weights is None:
            return None
        return np.log(np.where(self.weights > 0, self.weights, 1.0))

    def predict(self, outputs: Array) -> Array:
        """Probabilities: those of weighted classes are ``p * weight``, made to sum to 1."""
        logs = self.log_weights()
        return super().predict(outputs if logs is None else (outputs - logs).astype(outputs.dtype))

    def places(self, p: Array) -> Array:
        if self.decision is not None:
            return np.asarray(self.decision.places(p))
        return super().places(p if self.weights is None else p * self.weights)


@dataclass(frozen=True, eq=False)
class AmountHead(NumberHead):
    """Numbers that a table may hold as amounts such as "$1,023.45".

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
