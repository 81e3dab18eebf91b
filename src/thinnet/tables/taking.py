"""How estimators of tables take a table: the rows, the target, and what rows have beside them."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.tables import beside
from thinnet.tables.beside import Given, Taken
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import checked_kinds
from thinnet.tables.columns.missing import words
from thinnet.tables.inspected import Inspected
from thinnet.tables.reading import read_table
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.frames import collected
from thinnet.tables.reading.spooling import on_disk
from thinnet.tables.targeting import Targeted, check_there, targeted

ROLES: Final = {"sample_weight": "weight_name_", "groups": "group_name_", "time": "time_name_"}
BESIDE_NETWORKS: Final = ("calibration_", "conformal_", "decision_", "drift_", "importances_")
OF_A_FIT: Final = (
    *BESIDE_NETWORKS,
    "dialect_",
    "fold_networks_",
    "target_name_",
    *ROLES.values(),
    "target_decimal_",
)  # attributes that not every fit sets


class TakesTables(Inspected):
    """A base of `TableClassifier` and `TableRegressor`, not for use by itself."""

    dialect_: Dialect | None = None  # the dialect of the file in fit

    kinds: Mapping[str, str] | None
    missing: Sequence[str]
    encoder: TableEncoder | None

    @abstractmethod
    def _read_targets(self, y: Any, *, first: bool) -> Array:
        """Targets in the form of the loss; the first time their classes or scale are learned."""

    def _new_encoder(self) -> TableEncoder:
        """An unfitted encoder like `encoder`, with the estimator's `kinds` and `missing`."""
        encoder: TableEncoder = TableEncoder() if self.encoder is None else clone(self.encoder)
        kinds = {**checked_kinds(encoder.kinds), **checked_kinds(self.kinds)}
        words(self.missing)
        return encoder.set_params(kinds=kinds or None, missing=(*encoder.missing, *self.missing))

    def _take_names(self, encoder: TableEncoder) -> None:
        self.n_features_in_ = encoder.n_features_in_
        if hasattr(encoder, "feature_names_in_"):
            self.feature_names_in_ = encoder.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    @property
    def _words(self) -> tuple[str, ...]:
        """The words that mean a missing cell."""
        more = () if self.encoder is None else self.encoder.missing
        return words((*more, *self.missing))

    def _forget(self, names: Iterable[str]) -> None:
        """Take attributes away that would be of an earlier fit."""
        for name in names:
            self.__dict__.pop(name, None)

    def _table(self, X: Any, y: Any, given: Given, *, first: bool) -> Targeted:
        """The table and its targets; `y` may be names of columns, whose holes are left out."""
        if first:
            self._forget(OF_A_FIT)
        from_file = isinstance(X, str | os.PathLike)
        if from_file:
            X = on_disk(X)
            of_target = [y] if isinstance(y, str) else list(() if y is None else y)
            self.check_memory(X, [*of_target, *given.not_learned])
        found = targeted(X, y, missing=self._words)
        if from_file:
            self.dialect_ = found.dialect
        if found.name is not None:
            self.target_name_ = found.name
        for role, name in given.names.items():
            setattr(self, ROLES[role], name)
        return found

    def _taken(self, found: Targeted, given: Given) -> Taken:
        """The table as it is learned from; ValueError where there are no targets."""
        if found.y is None:
            raise ValueError("fit requires y to be passed, but the target y is None")
        check_there(found.y)
        return beside.taken(found, given, self._words)

    def _target_notes(self, y: Any) -> tuple[str, ...]:
        """Notes on how targets were read if that may surprise."""
        return ()

    def _targeted(self, X: Any, y: Any) -> Targeted:
        """Rows and targets, read like those of fit."""
        check_is_fitted(self)
        return targeted(X, y, self.dialect_, missing=self.encoder_.missing_)

    def _paired(self, X: Any, y: Any) -> tuple[Any, Any]:
        found = self._rows_with_targets(X, y)
        return found.X, found.y

    def _rows_with_targets(self, X: Any, y: Any) -> Targeted:
        """Rows and targets, all of which must be there."""
        found = self._targeted(X, y)
        check_there(found.y)
        return found

    def _measured(self, X: Any, y: Any, sample_weight: Any) -> tuple[Targeted, Array | None]:
        """Rows with targets, and the weights by which they are measured."""
        found = self._rows_with_targets(X, y)
        return found, beside.weights_of(found, sample_weight, self.encoder_.missing_)

    def _learned_targets(self, y: Any, *, first: bool) -> Array:
        """The result of `_read_targets`; errors name the target's column if it is known."""
        try:
            return self._read_targets(y, first=first)
        except (TypeError, ValueError) as error:
            if (name := getattr(self, "target_name_", None)) is None:
                raise
            raise ValueError(f"target column {quoted(name)} can't be used: {error}") from error

    def _read(self, X: Any) -> Any:
        is_path = isinstance(X, str | os.PathLike)
        return read_table(X, self.dialect_, typed=False)[0] if is_path else collected(X)
