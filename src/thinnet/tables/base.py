"""The base of both estimators of tables: reading, encoding, training several networks."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from typing import Any, Final, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from thinnet import checks
from thinnet.arithmetic import lane_mean
from thinnet.arrays import Array
from thinnet.checks import quoted
from thinnet.engine.threads import limited
from thinnet.estimators.settings import evaluation_pair
from thinnet.layers.encodings import inputs_in
from thinnet.network import Network
from thinnet.tables import drifting, members, memory
from thinnet.tables.columns import amounts
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import checked_kinds
from thinnet.tables.columns.missing import words
from thinnet.tables.columns.noticing import notes
from thinnet.tables.drifting import Known
from thinnet.tables.inspected import Inspected
from thinnet.tables.members import SomeRows, TableRows, TrainingSet
from thinnet.tables.parameters import TableParameters
from thinnet.tables.reading import read_table
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.frames import as_frame, collected, frame_of
from thinnet.tables.reading.spooling import on_disk
from thinnet.tables.targeting import Targeted, check_there, targeted
from thinnet.tables.teaching import FittedMembers, fit_members
from thinnet.training.interrupt import InterruptFlag
from thinnet.uncertainty.draws.drawing import Drawer
from thinnet.uncertainty.draws.heads import ClassHead, Head

Splits: TypeAlias = list[tuple[Array, Array]]
OF_A_FIT: Final = (
    "dialect_",
    "target_name_",
    "target_decimal_",
    "calibration_",
    "drift_",
    "conformal_",
)  # attributes that not every fit sets


class TableEstimator(TableParameters, Inspected, BaseEstimator):
    """The base of `TableClassifier` and `TableRegressor`, not for use by itself."""

    dialect_: Dialect | None = None  # the dialect of the file in fit
    interrupted_: bool = False  # older files don't have it

    notes_: tuple[str, ...]
    target_decimal_: str | None = None  # a mark for each target of amounts such as "$1,023.45"

    hidden_layer_sizes: Any  # a field of the classes below
    activation: Any

    @property
    @abstractmethod
    def head_(self) -> Head:
        """The head that gives the networks' outputs their meaning."""

    @abstractmethod
    def _read_targets(self, y: Any) -> Array:
        """Targets in the form of the loss; their classes or scale are learned."""

    def _weights(self, y: Any) -> Array | None:
        """The weight of each row's class."""
        return None

    def _fit(self, X: Any, y: Any, eval_set: Any, whole: Any = None) -> None:
        members.check(self)
        given = self._table(X, y)
        with amounts.written_with(given.dialect.decimal if given.dialect else None):
            self._fit_table(given, eval_set, whole)

    def _fit_table(self, given: Targeted, eval_set: Any, whole: Any) -> None:
        X, y = given.X, given.y
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None")
        check_there(y)
        if (n := _num_samples(X)) < 2:
            raise ValueError(f"X must have 2 rows at least, got {n} sample(s)")
        targets = self._learned_targets(y)
        checks.same_length("y", targets, "X", n)
        self.encoder_ = self._new_encoder()
        whole = given.whole if whole is None else whole
        if len(getattr(X, "shape", ())) == 2:
            memory.check(self, self.encoder_, frame_of(X)[: memory.SAMPLE_ROWS], n, 0)
        encoded = self.encoder_.fit_part(X, _one_number(targets), whole)
        memory.check_inputs(self, inputs_in(self.encoder_.encodings_))
        self._take_names(self.encoder_)
        frame, classes = as_frame(X, self.encoder_, first=False), targets.dtype.kind in "iu"
        head = self.head_
        labels = head.classes[targets] if isinstance(head, ClassHead) else targets
        of_columns = notes(frame, self.encoder_, labels, classes=classes)
        self.notes_ = (*given.notes, *self._target_notes(y), *of_columns)
        rows = TableRows(encoded.astype(self.dtype, copy=False), targets, self._weights(y))
        held = None if eval_set is None else self._held(eval_set)
        with limited(self.n_threads):
            splits = self._train(rows, held)
        self.drift_ = self._drift(frame, splits, eval_set)

    def _drift(self, frame: Frame, splits: Splits, eval_set: Any) -> tuple[Known, ...]:
        if splits:
            return drifting.learned(frame, self.encoder_, splits)
        import pandas as pd

        X, _ = self._paired(*evaluation_pair(eval_set))
        held, n = as_frame(X, self.encoder_, first=False), len(frame)
        names = [column.name for column in self.encoder_.columns_]
        both = pd.concat([frame[names].astype(object), held[names].astype(object)])
        places = np.arange(len(both))
        return drifting.learned(both, self.encoder_, [(places[:n], places[n:])], n)

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

    def _table(self, X: Any, y: Any) -> Targeted:
        """The table and its targets; `y` may be names of columns, whose holes are left out."""
        for name in OF_A_FIT:
            self.__dict__.pop(name, None)  # it would be of an earlier fit
        from_file = isinstance(X, str | os.PathLike)
        if from_file:
            X = on_disk(X)
            self.check_memory(X, y)
        more = () if self.encoder is None else self.encoder.missing
        found = targeted(X, y, missing=words((*more, *self.missing)))
        if from_file:
            self.dialect_ = found.dialect
        if found.name is not None:
            self.target_name_ = found.name
        return found

    def _target_notes(self, y: Any) -> tuple[str, ...]:
        """Notes on how targets were read if that may surprise."""
        return ()

    def _targeted(self, X: Any, y: Any) -> Targeted:
        """Rows and targets, read like those of fit."""
        check_is_fitted(self)
        return targeted(X, y, self.dialect_, missing=self.encoder_.missing_)

    def _paired(self, X: Any, y: Any) -> tuple[Any, Any]:
        found = self._targeted(X, y)
        check_there(found.y)
        return found.X, found.y

    def _learned_targets(self, y: Any) -> Array:
        """The result of `_read_targets`; errors name the target's column if it is known."""
        try:
            return self._read_targets(y)
        except (TypeError, ValueError) as error:
            if (name := getattr(self, "target_name_", None)) is None:
                raise
            raise ValueError(f"target column {quoted(name)} can't be used: {error}") from error

    def _held(self, eval_set: Any) -> TableRows:
        X, y = self._paired(*evaluation_pair(eval_set))
        with drifting.reported_to(drifting.ignored):
            encoded = self._encoded(X)
        return TableRows(encoded, self.head_.targets(np.asarray(y)), None)

    def _train(self, rows: TableRows, held: TableRows | None) -> Splits:
        """Train the networks; return the places of training and held-out rows in the table."""
        stream, n = check_random_state(self.random_state), len(rows.y)
        places: Splits = []
        if held is not None:
            training_sets = [self._training_set(SomeRows(rows), SomeRows(held))] * self.n_networks
        else:
            places = list(members.splits(self, rows.y, stream))
            some = [(SomeRows(rows, kept), SomeRows(rows, stop)) for kept, stop in places]
            training_sets = [self._training_set(kept, stop) for kept, stop in some]
        with InterruptFlag() as flag:
            folds = self._fit_members(training_sets, stream, flag)
            trained = folds.kept
            self.networks_ = [member.network for member in trained]
            self.histories_ = [member.history for member in trained]
            stopped, training_sets = self.networks_, training_sets[: len(trained)]
            whole = folds.is_whole and held is None and len(training_sets) > 1
            self._learn_noise(training_sets)
            message = folds.message("were trained to their end", "stands for all")
            if whole and n < members.FEW_ROWS:
                message = self._learn_from_all(rows, stream, flag)
        with limited(self.n_threads):
            self._calibrate(training_sets, stopped, held)
        self.history_ = self.histories_[0]
        self.n_iter_ = max(len(history) for history in self.histories_)
        self.interrupted_ = flag.interrupted
        if flag.interrupted:
            self.notes_ += (message,)
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=5)
        return places

    def _learn_from_all(
        self, rows: TableRows, stream: np.random.RandomState, flag: InterruptFlag
    ) -> str:
        """Train networks on all rows, for the number of epochs that was best on the folds."""
        epochs = members.common_epochs(self.histories_)
        fitted = self._fit_members(
            [self._training_set(SomeRows(rows), None, epochs)] * self.n_networks, stream, flag
        )
        if fitted.done:
            self.networks_ = [member.network for member in fitted.done]
        return fitted.message(
            "have learned from all rows", "is left out and those of the folds stand"
        )

    def _fit_members(
        self, training_sets: list[TrainingSet], stream: np.random.RandomState, flag: InterruptFlag
    ) -> FittedMembers:
        return fit_members(self, self.head_.loss, training_sets, stream, flag)

    def _learn_noise(self, training_sets: list[TrainingSet]) -> None:
        """Learn the noise around draws from the rows that each network was not trained on."""

    def _calibrate(
        self, training_sets: list[TrainingSet], stopped: list[Network], held: TableRows | None
    ) -> None:
        """Calibrate on rows held out from `stopped`: on `held` if all have the same."""

    def _training_set(self, rows: SomeRows, held: SomeRows | None, epochs: int = 0) -> TrainingSet:
        return TrainingSet(rows, held, epochs or self.max_iter, self.head_.width)

    def _encoded(self, X: Any) -> Array:
        """Rows as the networks take them."""
        check_is_fitted(self)
        table = self.encoder_.table(self._read(X))
        encoded = self.encoder_.encoded(table).astype(self.dtype, copy=False)
        drifting.report(self, table)
        return encoded

    def _read(self, X: Any) -> Any:
        is_path = isinstance(X, str | os.PathLike)
        return read_table(X, self.dialect_, typed=False)[0] if is_path else collected(X)

    def _drawer(self, X: Any) -> Drawer:
        return Drawer(self.networks_, self._encoded(X), self.n_threads)

    def _mean(self, X: Any) -> Array:
        """The mean over the networks of their predictions, in float64."""
        encoded = self._encoded(X)
        with limited(self.n_threads):
            outputs = np.concatenate([network.outputs(encoded) for network in self.networks_])
            each = self.head_.predict(outputs).astype(np.float64)
        return np.asarray(lane_mean(each.reshape(len(self.networks_), len(encoded), -1)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _one_number(targets: Array) -> Array | None:
    """The number by which categories are encoded: the target, or its class; None for several."""
    if targets.ndim == 1:
        return targets
    return targets[:, 0] if targets.shape[1] == 1 else None
