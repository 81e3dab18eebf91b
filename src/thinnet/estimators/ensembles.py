"""The base of both deep ensembles: several networks from different first weights."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, RandomState, TargetLike, VectorLike
from thinnet.estimators import members, settings, validation
from thinnet.estimators.base import MLP
from thinnet.estimators.linked import linked
from thinnet.estimators.members import EnsembleData
from thinnet.estimators.parameters import indented
from thinnet.network import Network
from thinnet.training.sharing import fit_ended
from thinnet.uncertainty.draws.drawing import Drawer
from thinnet.uncertainty.draws.heads import Head, one_column

PARAMETERS: Final = indented("""\
n_networks : int, default=5
    At least 1; a single one has no error bars, unless it has dropout.
bootstrap : bool, default=False
    Train each network on as many rows as there are, chosen with replacement (Breiman 1996): a row
    that was chosen k times has the weight k.  Lakshminarayanan et al. found that different first
    weights and orders suffice.
n_jobs : int or None, default=None
    The number of networks that are trained at once, in threads, each on one core unless the
    estimator has `n_threads`; None is 1, -1 one for each core.  Results don't depend on it.
random_state : int, RandomState instance or None, default=None
    Takes the place of the estimator's own: each network gets a seed derived from it
    (`thinnet.derived_seed`), for other first weights, orders, splits and masks.
progress : bool or None, default=False
    Show a progress bar over the networks; None shows it on terminals and in notebooks.""")

FITTED: Final = indented("""\
estimators_ : list
    The fitted estimators; after Ctrl-C those whose training had ended by then, or the first one as
    far as it came.
networks_ : list of Network
    The networks of these estimators.
head_ : ClassHead or NumberHead
    The meaning of the outputs, as a small object: loss, targets, probabilities or mixture.
n_outputs_ : int
    The number of outputs.
n_features_in_, feature_names_in_
    The number of features of X in fit, and their names if it had any.""")


@dataclass(eq=False, repr=False, kw_only=True)
class EnsembleParameters:
    """The parameters as they were given: scikit-learn sets them freely, and `fit` checks them."""

    bootstrap: bool = False
    n_jobs: int | None = None
    random_state: RandomState = None
    progress: bool | None = False


class Ensemble(EnsembleParameters, BaseEstimator):
    """The base of `EnsembleClassifier` and `EnsembleRegressor`, not for use by itself."""

    n_networks: int  # a field of the classes below
    estimator: Any
    n_outputs_: int

    kind: ClassVar[type[MLP]]

    @property
    @abstractmethod
    def head_(self) -> Head:
        """The head that gives the networks' outputs their meaning."""

    @abstractmethod
    def _learn(self, rows: EnsembleData, times: list[Array] | None) -> None:
        """Learn what belongs to the ensemble as a whole, after its members."""

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
        fit_ended(model.callbacks or (), self, self.networks_)

    def rows_of_fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        bootstrap: int | None = None,
    ) -> tuple[MatrixLike, Array, Array | None]:
        """Rows, targets and weights as a member learned from them, for `Recording.on`.

        Parameters
        ----------
        X, y, sample_weight
            As they were given to `fit`.
        bootstrap : int, optional
            The seed of a bootstrap sample, if members have any.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if the data is not like that of fit.
        """
        member = self.estimators_[0]
        X, y = self._validated(member, X, y, reset=False)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        if bootstrap is not None:
            times = members.times_chosen(bootstrap, X.shape[0])
            weights = times if weights is None else times * weights
        found: tuple[MatrixLike, Array, Array | None] = member.rows_of_fit(X, y, weights)
        return found

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
        """The drawer for checked rows."""
        networks = [linked(member) for member in self.estimators_]
        return Drawer(networks, X, self.estimators_[0].n_threads)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def check_members(ensemble: Ensemble) -> None:
    """ValueError if members of an ensemble from a file are unfitted, or differ in their data."""
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
