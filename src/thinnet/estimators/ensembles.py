"""Deep ensembles, what both kinds share: several networks from different first weights."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight

from thinnet import checks
from thinnet.arrays import Array, RandomState
from thinnet.estimators import members, settings, validation
from thinnet.estimators.base import MLP
from thinnet.estimators.linked import linked
from thinnet.estimators.members import EnsembleData
from thinnet.estimators.parameters import indented
from thinnet.network import Network
from thinnet.uncertainty.draws.drawing import Drawer
from thinnet.uncertainty.draws.heads import Head, one_column

PARAMETERS: Final = indented("""\
n_networks : int, default=5
    At least 1; one alone has no error bars, unless it has dropout.
bootstrap : bool, default=False
    Each network learns from as many rows as there are, drawn with replacement (Breiman 1996):
    a row that comes k times has the weight k.  Lakshminarayanan et al. found first weights and
    orders alone to be enough.
n_jobs : int or None, default=None
    How many networks are trained at once, in threads, each on one core unless its own
    `n_threads` says otherwise; None is 1, -1 one for each core.  Results don't depend on it.
random_state : int, RandomState instance or None, default=None
    Takes the place of the estimator's own: each network gets one derived from it
    (`thinnet.derived_seed`), for other first weights, orders, splits and masks.
progress : bool or None, default=False
    Show a progress bar over the networks; None: where somebody looks.""")

FITTED: Final = indented("""\
estimators_ : list
    The fitted estimators; after Ctrl-C those that were trained to their end by then, or the
    first one as far as it came.
networks_ : list of Network
    Theirs.
head_ : ClassHead or NumberHead
    What outputs mean, as a small object: loss, targets, probabilities or mixture.
n_outputs_ : int
n_features_in_, feature_names_in_
    Of the X that was fitted.""")


@dataclass(eq=False, repr=False, kw_only=True)
class EnsembleParameters:
    """Whatever they are: scikit-learn sets them freely, and fit checks them."""

    bootstrap: bool = False
    n_jobs: int | None = None
    random_state: RandomState = None
    progress: bool | None = False


class Ensemble(EnsembleParameters, BaseEstimator):
    """Not for use by itself: `EnsembleClassifier` and `EnsembleRegressor`."""

    n_networks: int  # of the constructors
    estimator: Any
    n_outputs_: int

    kind: ClassVar[type[MLP]]

    @property
    @abstractmethod
    def head_(self) -> Head:
        """What the networks' outputs mean."""

    @abstractmethod
    def _learn(self, rows: EnsembleData, times: list[Array] | None) -> None:
        """What there is to know of the whole."""

    def _fit(self, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> None:
        model = self._checked_model()
        X, y = self._validated(model, X, y, reset=True)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        rows = EnsembleData(X, y, weights, self._held(model, eval_set))
        of_each = members.seeds(self.random_state, self.n_networks)
        times = None
        if self.bootstrap:
            times = [members.times_chosen(each.rows, rows.n) for each in of_each]
        found = members.trained(model, rows, of_each, times, self.n_jobs, self.progress)
        self.estimators_ = list(found.values())
        times = None if times is None else [times[place] for place in found]
        self.n_outputs_ = self.estimators_[0].n_outputs_
        self._learn(rows, times)

    def _checked_model(self) -> Any:
        checks.integer("n_networks", self.n_networks, 1)
        checks.boolean("bootstrap", self.bootstrap)
        if self.n_jobs is not None:
            fits = checks.is_integer(self.n_jobs) and self.n_jobs != 0
            checks.must(fits, "n_jobs", "None or an integer other than 0", self.n_jobs)
        model = self.kind() if self.estimator is None else self.estimator
        fits = isinstance(model, self.kind)
        checks.must(fits, "estimator", f"None or an {self.kind.__name__}", self.estimator)
        if model.checkpoint is not None:
            raise ValueError(
                "estimator must have checkpoint=None, since its networks can't share a file, got "
                f"{model.checkpoint!r}"
            )
        return model

    def _validated(self, model: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validation.to_fit(self, model, X, y, reset=reset)
        return X, one_column(y)

    def _held(self, model: Any, eval_set: Any) -> tuple[Any, Any] | None:
        if eval_set is None:
            return None
        return self._validated(model, *settings.evaluation_pair(eval_set), reset=False)

    @property
    def networks_(self) -> list[Network]:
        """The networks of the fitted estimators."""
        return [member.network_ for member in self.estimators_]

    def _entering(self, X: Any) -> Any:
        return validation.to_predict(self, X)

    def _drawer(self, X: Any) -> Drawer:
        return self._drawer_of(self._entering(X))

    def _drawer_of(self, X: Any) -> Drawer:
        """For rows that have been checked."""
        networks = [linked(member) for member in self.estimators_]
        return Drawer(networks, X, self.estimators_[0].n_threads)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def check_members(ensemble: Ensemble) -> None:
    """ValueError where the members of an ensemble from a file aren't fitted, or not to the same."""
    name, shape = ensemble.kind.__name__, (ensemble.n_features_in_, ensemble.n_outputs_)
    for member in ensemble.estimators_:
        fits = type(member) is ensemble.kind and member.__sklearn_is_fitted__()
        if not fits or (member.n_features_in_, member.n_outputs_) != shape:
            raise ValueError(
                f"estimators_ must be fitted {name}s that take {shape[0]} numbers and give "
                f"{shape[1]}, got {member!r}"
            )
    if not ensemble.estimators_:
        raise ValueError("estimators_ must hold an estimator at least, got none")
