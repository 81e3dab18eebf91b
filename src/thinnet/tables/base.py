"""The base of both estimators of tables: reading, encoding, training several networks."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from thinnet import checks
from thinnet.arithmetic import lane_mean
from thinnet.arrays import Array
from thinnet.engine.threads import limited
from thinnet.estimators.settings import evaluation_pair
from thinnet.layers.encodings import inputs_in
from thinnet.network import Network
from thinnet.tables import (
    beside,
    drifting,
    efforts,
    going_on,
    members,
    memory,
    splitting,
    time_limits,
)
from thinnet.tables.again import EncodesAgain, one_number
from thinnet.tables.beside import Given
from thinnet.tables.columns import amounts
from thinnet.tables.columns.noticing import notes
from thinnet.tables.drifting import Known
from thinnet.tables.eval_metrics import CLASSES, LOSS, NUMBERS, Metric, spelt
from thinnet.tables.going_on import KEPT, Earlier, gone_on, unchanged
from thinnet.tables.importances import HeldOut, kept
from thinnet.tables.members import SomeRows, TableRows, TrainingSet
from thinnet.tables.parameters import TableParameters
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.frames import as_frame, frame_of
from thinnet.tables.splitting import Split
from thinnet.tables.taking import BESIDE_NETWORKS, TakesTables
from thinnet.tables.targeting import Targeted
from thinnet.tables.teaching import ALONE, FittedMembers, fit_members
from thinnet.tables.time_limits import TimeLimit
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.sharing import fit_ended
from thinnet.uncertainty.draws.drawing import Drawer
from thinnet.uncertainty.draws.heads import ClassHead, Head


class TableEstimator(TableParameters, TakesTables, EncodesAgain, BaseEstimator):
    """The base of `TableClassifier` and `TableRegressor`, not for use by itself."""

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
    def _metric(self, y: Array) -> Metric | None:
        """What training stops by in place of the loss, for targets `y` of the networks."""

    @property
    def stops_by_loss(self) -> bool:
        """Whether training stops by its loss on the rows held out."""
        return spelt(self.eval_metric, (*CLASSES, *NUMBERS)) == LOSS

    def _weights(self, targets: Array) -> Array | None:
        """The weight of each row's class."""
        return None

    def _fit(self, X: Any, y: Any, eval_set: Any, whole: Any, given: Given) -> None:
        members.check(self)
        given.check_fits(eval_set)
        earlier = Earlier.of(self) if going_on.goes_on(self) else None
        found = self._table(X, y, given, first=earlier is None)
        self.time_limit_ = TimeLimit(self.time_limit)
        try:
            with amounts.written_with(found.dialect.decimal if found.dialect else None):
                self._fit_table(found, given, eval_set, whole, earlier)
        finally:
            del self.time_limit_

    def _fit_table(
        self, found: Targeted, given: Given, eval_set: Any, whole: Any, earlier: Earlier | None
    ) -> None:
        taken = self._taken(found, given)
        X, y = taken.table.X, taken.table.y
        if (n := _num_samples(X)) < 2:
            raise ValueError(f"X must have 2 rows at least, got {n} sample(s)")
        targets = self._learned_targets(y, first=earlier is None)
        checks.same_length("y", targets, "X", n)
        if earlier is None:
            self.encoder_ = self._new_encoder()
        whole = taken.table.whole if whole is None else whole
        if len(getattr(X, "shape", ())) == 2:
            memory.check(self, self.encoder_, frame_of(X)[: memory.SAMPLE_ROWS], n, 0)
        stream, splits = check_random_state(self.random_state), list[Split]()
        if eval_set is None:
            splits += splitting.splits(self, targets, stream, taken.beside)
        folds = splitting.folds_of_means(splits, taken.beside)
        if earlier is None:
            encoded = self.encoder_.fit_part(X, one_number(targets), whole, folds)
            memory.check_inputs(self, inputs_in(self.encoder_.encodings_))
            self._take_names(self.encoder_)
        else:
            encoded = going_on.encoded(self.encoder_, X, one_number(targets), folds)
            self._forget(BESIDE_NETWORKS)
        frame, classes = as_frame(X, self.encoder_, first=False), targets.dtype.kind in "iu"
        head = self.head_
        labels = head.classes[targets] if isinstance(head, ClassHead) else targets
        numbers = None if isinstance(head, ClassHead) else head.units.back(targets)
        of_columns = notes(frame, self.encoder_, labels, classes=classes, numbers=numbers)
        self.notes_ = (*found.notes, *taken.notes, *self._target_notes(y), *of_columns)
        own, encoded = taken.beside.weights, encoded.astype(self.dtype, copy=False)
        rows = TableRows(encoded, targets, members.product(own, self._weights(targets)), own)
        held = None if eval_set is None else self._held(eval_set)
        with limited(self.n_threads):
            in_time = taken.beside.times is not None
            self._train(rows, held, splits, stream, earlier, in_time=in_time)
        self.drift_ = self._drift(frame, splits, eval_set)
        fit_ended(self.callbacks or (), self, self.networks_)

    def _drift(self, frame: Frame, splits: list[Split], eval_set: Any) -> tuple[Known, ...]:
        if splits:
            return drifting.learned(frame, self.encoder_, splits)
        import pandas as pd

        X, _ = self._paired(*evaluation_pair(eval_set))
        held, n = as_frame(X, self.encoder_, first=False), len(frame)
        names = [column.name for column in self.encoder_.columns_]
        both = pd.concat([frame[names].astype(object), held[names].astype(object)])
        places = np.arange(len(both))
        return drifting.learned(both, self.encoder_, [(places[:n], places[n:])], n)

    def _held(self, eval_set: Any) -> TableRows:
        found = self._rows_with_targets(*evaluation_pair(eval_set))
        name = vars(self).get("weight_name_")
        there = name is not None and name in frame_of(found.X).columns
        own = beside.weights_of(found, name if there else None, self.encoder_.missing_)
        with drifting.reported_to(drifting.ignored):
            encoded = self._entering(found.X)
        rows = TableRows(encoded, self.head_.targets(np.asarray(found.y)), own, own)
        return rows if own is None else rows.part(np.flatnonzero(own))

    def _train(
        self,
        rows: TableRows,
        held: TableRows | None,
        splits: list[Split],
        stream: np.random.RandomState,
        earlier: Earlier | None,
        *,
        in_time: bool,
    ) -> None:
        """Train the networks, each on its split, or all on all rows where `held` is given."""
        if held is not None:
            some = [(SomeRows(rows), SomeRows(held))] * self.n_networks
        else:
            some = [(SomeRows(rows, kept), SomeRows(rows, stop)) for kept, stop in splits]
        metric = self._metric(rows.y)
        if metric is not None:
            for _, stop in some:
                metric.check(stop.table.y[stop.places])
        training_sets = [self._training_set(*each, monitor=metric or "loss") for each in some]
        training_sets[0] = training_sets[0]._replace(clean_rows=members.CLEAN_ROWS)
        if earlier is not None:
            earlier = earlier.of_all if held is not None else earlier
            training_sets = earlier.to_go_on(training_sets)
        few = in_time or len(rows.y) < efforts.FEW_ROWS  # then all are learned from in the end
        whole = held is None and len(training_sets) > 1
        self.time_limit_.expect(len(training_sets) + 1 + (self.n_networks if whole and few else 0))
        with InterruptFlag() as flag:
            folds = self._fit_members(training_sets, stream, flag)
            trained, epochs = folds.kept, None
            if earlier is not None:
                trained, epochs = gone_on(earlier, folds, self.head_.loss)
            self.networks_ = [member.network for member in trained.values()]
            self.histories_ = [member.history for member in trained.values()]
            stopped, training_sets = self.networks_, [training_sets[i] for i in trained]
            self._learn_noise(training_sets)
            others = ALONE if earlier is None else KEPT
            message = folds.message("were trained to their end", others)
            if whole and few and folds.is_whole:
                message = self._learn_from_all(rows, stream, flag, earlier, epochs)
            elif earlier is not None and not folds.is_whole and not earlier.are_of_folds:
                self.networks_ = earlier.networks
        if self.warm_start:
            self.fold_networks_ = [] if self.networks_ is stopped else stopped
        with limited(self.n_threads):
            self._calibrate(training_sets, stopped, held)
        self._held_out = self._kept(training_sets, stopped, held)
        self.history_ = self.histories_[0]
        self.n_iter_ = max(len(history) for history in self.histories_)
        self.interrupted_ = flag.interrupted
        self.notes_ += time_limits.note(self.time_limit, self.histories_)
        if flag.interrupted:
            self.notes_ += (message,)
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=5)

    def _kept(
        self, training_sets: list[TrainingSet], stopped: list[Network], held: TableRows | None
    ) -> HeldOut:
        """Some of the rows held out from `stopped`, for importances."""
        if held is not None:
            return kept(self.encoder_, self.head_, [(stopped, SomeRows(held))])
        pairs = zip(stopped, training_sets, strict=True)
        parts = [([network], part.held) for network, part in pairs if part.held is not None]
        return kept(self.encoder_, self.head_, parts)

    def _learn_from_all(
        self,
        rows: TableRows,
        stream: np.random.RandomState,
        flag: InterruptFlag,
        earlier: Earlier | None,
        epochs: int | None,
    ) -> str:
        """Train networks on all rows, for the number of epochs that was best on the folds."""
        if epochs is None:
            epochs = members.common_epochs(self.histories_, by_score=not self.stops_by_loss)
        sets = [self._training_set(SomeRows(rows), None, epochs)] * self.n_networks
        if earlier is not None:
            sets = earlier.of_all.to_go_on(sets)
        fitted = self._fit_members(sets, stream, flag) if epochs else unchanged(sets)
        if fitted.done:
            self.networks_ = [member.network for member in fitted.done.values()]
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

    def _training_set(
        self,
        rows: SomeRows,
        held: SomeRows | None,
        epochs: int | None = None,
        monitor: Literal["loss"] | Metric = "loss",
    ) -> TrainingSet:
        epochs = self.max_iter if epochs is None else epochs
        return TrainingSet(rows, held, epochs, self.head_.width, monitor)

    def _entering(self, X: Any) -> Array:
        """Rows as the networks take them."""
        check_is_fitted(self)
        table = self.encoder_.table(self._read(X))
        encoded = self.encoder_.encoded(table).astype(self.dtype, copy=False)
        drifting.report(self, table)
        return encoded

    def _drawer(self, X: Any) -> Drawer:
        return Drawer(self.networks_, self._entering(X), self.n_threads)

    def _mean(self, X: Any) -> Array:
        """The mean over the networks of their predictions, in float64."""
        encoded = self._entering(X)
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
