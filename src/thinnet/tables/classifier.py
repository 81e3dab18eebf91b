"""Classes from a mixed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from thinnet import checks
from thinnet.arithmetic import lane_mean
from thinnet.arrays import (
    Array,
    ClassWeight,
    EvalSet,
    OfRows,
    TableLike,
    TargetLike,
)
from thinnet.checks import quoted
from thinnet.estimators.predicting import PredictsClasses
from thinnet.network import Network
from thinnet.tables.base import TableEstimator
from thinnet.tables.beside import Given
from thinnet.tables.deciding import decision, decision_message, goal_of
from thinnet.tables.eval_metrics import CLASSES, ClassMetric, spelt
from thinnet.tables.heads import WeighedHead
from thinnet.tables.members import TableRows, TrainingSet, own_weights
from thinnet.tables.parameters import FITTED, PARAMETERS
from thinnet.tables.repeating import check_repeats
from thinnet.uncertainty.draws.heads import NAME, check_learned

BROUGHT_BACK: Final = "probabilities are brought back to what they are without it"
WEIGHTED: Final = (
    f"class_weight weighs classes up in training and in what is predicted; {BROUGHT_BACK}"
)
WEIGHTED_IN_TRAINING: Final = (
    f"class_weight weighs classes up in training, a threshold decides on classes; {BROUGHT_BACK}"
)


@dataclass(eq=False, repr=False)
class TableClassifier(ClassifierMixin, TableEstimator, PredictsClasses):
    __doc__ = f"""A classifier of raw tables with numbers, categories, dates, texts and holes.

    Parameters
    ----------
    {PARAMETERS}
    class_weight : dict, 'balanced' or None, default=None
        The weight of each class in the loss and in `predict`; 'balanced' is inverse to the class
        frequencies.  Probabilities are corrected to those without weights.
    threshold_for : str or None, default=None
        'f1', 'balanced-accuracy', 'recall=0.8' or 'precision=0.8' (any fraction): with two classes,
        `predict` takes `positive_class` if its probability reaches the threshold that is best for
        this on the rows held out (with the largest precision for a recall, and the other way
        round).  None takes the most probable class.
    positive_class : label or None, default=None
        The class that `threshold_for` and `eval_metric='f1'` are about; None is the rarer one.

    Attributes
    ----------
    {FITTED}
    classes_ : array, shape (n_classes,)
        The labels, sorted.
    class_weights_ : array, shape (n_classes,)
        The weights of the classes; with `class_weight`.
    decision_ : Decision
        The threshold and its precision and recall on the rows held out; with `threshold_for`.

    Raises
    ------
    ValueError
        In fit, if a parameter is out of its range or the table can't be used.
    DataFileError
        If a file can't be read.

    References
    ----------
    Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning";
    Srivastava et al. 2014; Loshchilov and Hutter 2019.

    Examples
    --------
    >>> import pandas as pd
    >>> from thinnet import TableClassifier
    >>> table = pd.DataFrame({{"age": [20, 30, None, 20] * 25, "city": ["Ulm", "Bonn"] * 50,
    ...                       "buys": ["no", "yes"] * 50}})
    >>> model = TableClassifier(random_state=0).fit(table, "buys")
    >>> model.predict(pd.DataFrame({{"city": ["Bonn", "Ulm"], "age": [33, None]}}))
    array(['yes', 'no'], dtype=object)
    >>> model.notes_
    ("column 'city' predicts the target by itself: leave it out if it is not known before",)
    """

    hidden_layer_sizes: Sequence[int] | str = "auto"
    activation: str = "relu"
    _: KW_ONLY
    class_weight: ClassWeight = None
    threshold_for: str | None = None
    positive_class: bool | int | float | str | None = None

    def fit(
        self,
        X: TableLike,
        y: TargetLike,
        eval_set: EvalSet = None,
        whole: TableLike = None,
        *,
        sample_weight: OfRows = None,
        groups: OfRows = None,
        time: OfRows = None,
    ) -> TableClassifier:
        """Train.

        Parameters
        ----------
        X : path, data frame or array, shape (rows, columns)
            A CSV or Parquet file, a frame of pandas or polars, or an array.
        y : str or array, shape (rows,)
            The name of the column with the labels, or the labels.  Rows whose named label is
            missing are left out.
        eval_set : (X, y), optional
            Held-out rows that all networks stop by; then each learns from all of `X`.
        whole : data frame or array, optional
            The table of which X is a part; the kinds of columns are found from all its rows.
        sample_weight : str or array, shape (rows,), optional
            The weight of each row in the loss, in the loss of held-out rows and in what is learned
            from these: a number, at least 0, not all 0; or the name of the column of `X` that has
            them, which is then not learned from.  A weight of 2 counts as two equal rows do, and
            only the ratios of weights matter, so the learning rate keeps its meaning.  Rows of
            weight 0 are left out as if they were not there.  With `class_weight` both
            are multiplied.  Columns are encoded, and targets
            scaled, without weights.  Of a named column `eval_set` is weighed too, where it has it.
        groups : str or array, shape (rows,), optional
            The group of each row, such as a patient, or the name of the column of `X` that has it,
            which is then not learned from.  No group is parted: each network stops by groups that
            it has not learned from.
        time : str or array, shape (rows,), optional
            The time of each row, dates or numbers, or the name of the column of `X` that has it,
            which is learned from unless `kinds` drops it.  No network learns from rows later than
            those that it stops by: each learns from the rows before some date, half of them at
            least, and stops by those after it, up to the date of the next.  The final networks
            learn from all rows, for the number of epochs that was best, however many rows there
            are; a single one (``n_networks=1``) holds the last rows out.

        Returns
        -------
        self
        """
        self._fit(X, y, eval_set, whole, Given(sample_weight, groups, time))
        return self

    def score(self, X: TableLike, y: TargetLike, sample_weight: OfRows = None) -> float:
        """The accuracy of `predict`.

        Parameters
        ----------
        X : as for `predict`
        y : as for `fit`
            The name of a column of `X` too; then rows without a label are left out.
        sample_weight : str or array, shape (rows,), optional
            Weights, or the name of the column of `X` that has them.

        Returns
        -------
        float
        """
        found, weights = self._measured(X, y, sample_weight)
        return float(super().score(found.X, found.y, weights))

    def _read_targets(self, y: TargetLike, *, first: bool) -> Array:
        shape: tuple[int, ...] = getattr(y, "shape", ())
        if len(shape) == 2 and shape[1] > 1:
            raise ValueError(f"y must be one column of labels, got {shape[1]} columns")
        y = column_or_1d(y, warn=True)
        if y.dtype.kind != "f":
            check_repeats("y", y)
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # values that are not classes are refused
            check_classification_targets(y)
        spelt(self.eval_metric, CLASSES)
        if not first:
            return self.head_.targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y must hold two classes at least, got only the class {str(self.classes_[0])!r}"
            )
        self._check_decision()
        self._forget(("class_weights_",))
        if self.class_weight is not None:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            self.class_weights_ = np.asarray(weights, np.float64)
        return self.head_.targets(y)

    def _check_decision(self) -> None:
        two, n = len(self.classes_) == 2, len(self.classes_)
        if self.threshold_for is not None:
            goal_of(self.threshold_for)
            checks.must(two, "threshold_for", f"None for {n} classes", self.threshold_for)
        elif self.eval_metric != "f1" or not two:
            unused = "None without threshold_for or eval_metric='f1' of two classes"
            checks.must(self.positive_class is None, "positive_class", unused, self.positive_class)
        if self.positive_class is not None:
            known = np.isin(self.positive_class, self.classes_)
            there = ", ".join(map(quoted, self.classes_.tolist()))
            checks.must(bool(known), "positive_class", f"one of {there}", self.positive_class)

    @property
    def head_(self) -> WeighedHead:
        """The head that makes classes and probabilities of the networks' outputs."""
        check_learned(self, "classes_")
        known = vars(self)
        return WeighedHead(
            self.classes_,
            "multiclass",
            known.get("target_name_", NAME),
            known.get("class_weights_"),
            known.get("decision_"),
        )

    @property
    def stops_by_loss(self) -> bool:
        plain = self.class_weight is None and spelt(self.eval_metric, CLASSES) == "neg_log_loss"
        return plain or super().stops_by_loss

    def _metric(self, y: Array) -> ClassMetric | None:
        if self.stops_by_loss:
            return None
        positive = self._positive(y)
        return ClassMetric(spelt(self.eval_metric, CLASSES), self.head_, positive)

    def _positive(self, y: Array) -> int:
        """The place of `positive_class`, or of the class with the fewest of the targets `y`."""
        if self.positive_class is None:
            return int(np.bincount(y, minlength=len(self.classes_)).argmin())
        return int(np.flatnonzero(self.classes_ == self.positive_class)[0])

    def _weights(self, targets: Array) -> Array | None:
        known = vars(self).get("class_weights_")
        return None if known is None else known[targets]

    def _calibrate(
        self, training_sets: list[TrainingSet], stopped: list[Network], held: TableRows | None
    ) -> None:
        if self.class_weight is not None:
            self.notes_ += (WEIGHTED if self.threshold_for is None else WEIGHTED_IN_TRAINING,)
        if self.threshold_for is not None:
            self._choose(self.threshold_for, *self._of_held(training_sets, stopped, held))

    def _of_held(
        self, training_sets: list[TrainingSet], stopped: list[Network], held: TableRows | None
    ) -> tuple[Array, Array, Array | None]:
        """Probabilities of the rows held out, the places of their classes, and own weights."""
        parts = [part.held.copied() for part in training_sets if part.held is not None]
        if held is not None:
            each = [self.head_.predict(network.outputs(held.X)) for network in stopped]
            return lane_mean(np.stack(each, dtype=np.float64)), held.y, held.own
        pairs = zip(stopped, parts, strict=True)
        p = np.concatenate([self.head_.predict(network.outputs(part.X)) for network, part in pairs])
        return p, np.concatenate([part.y for part in parts]), own_weights(parts)

    def _choose(self, goal: str, p: Array, y: Array, weights: Array | None) -> None:
        """Choose the best threshold on rows with probabilities `p` and classes at places `y`."""
        positive = self._positive(y)
        found = decision(goal, positive, p[:, positive].astype(float), y == positive, weights)
        self.decision_ = found
        self.notes_ += (decision_message(found, self.classes_),)

    def predict_proba(self, X: TableLike) -> Array:
        """The probability of each class, the mean over the networks, dropout off.

        Parameters
        ----------
        X : as for `predict`

        Returns
        -------
        array, shape (rows, n_classes)
            Columns in the order of `classes_`.
        """
        return self._mean(X)
