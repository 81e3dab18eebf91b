"""A deep ensemble for numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin

from thinnet.arrays import (
    Array,
    EvalSet,
    MatrixLike,
    TargetLike,
    VectorLike,
)
from thinnet.estimators import settings
from thinnet.estimators.base import MLP
from thinnet.estimators.ensembles import FITTED, PARAMETERS, Ensemble
from thinnet.estimators.members import EnsembleData, mean_of
from thinnet.estimators.predicting import PredictsNumbers
from thinnet.estimators.regressor import MLPRegressor
from thinnet.uncertainty.draws import noise
from thinnet.uncertainty.draws.drawing import How
from thinnet.uncertainty.draws.heads import NumberHead, check_learned


@dataclass(eq=False, repr=False)
class EnsembleRegressor(RegressorMixin, Ensemble, PredictsNumbers):
    __doc__ = f"""Several MLPRegressors: their mean predicts, their spread is the uncertainty.

    Without dropout the networks are the draws of `sample` and `uncertainty`; with it the draws
    take turns over the networks, each with masks of its own.

    Parameters
    ----------
    estimator : MLPRegressor or None, default=None
        The estimator that is cloned for each network; None is one with its defaults.
        Lakshminarayanan et al. take ``loss="gaussian_nll"``, with which networks also learn the
        noise of each row.
    {PARAMETERS}

    Attributes
    ----------
    {FITTED}
    noise_ : array, shape (n_outputs,)
        With 'squared_error' and several networks or dropout: the standard deviation of the noise
        around the networks' predictions, in the target's own units; from `precision` if that is
        given, else by maximum likelihood on up to 1,000 rows.  These are rows of `eval_set`; else
        with `bootstrap` rows that a network's sample left out; else training rows, where it is too
        small as far as the networks fit their noise.

    Raises
    ------
    ValueError
        In fit, if a parameter is out of its range or the data can't be used.

    References
    ----------
    Lakshminarayanan, Pritzel and Blundell 2017, "Simple and scalable predictive uncertainty
    estimation using deep ensembles".

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import EnsembleRegressor, MLPRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, (300, 1))
    >>> y = X[:, 0] ** 2
    >>> model = EnsembleRegressor(MLPRegressor(max_iter=1000), random_state=0).fit(X, y)
    >>> inside, outside = model.uncertainty([[0.0], [9.0]]).epistemic
    >>> bool(outside > 2 * inside)
    True
    """

    kind: ClassVar[type[MLP]] = MLPRegressor

    estimator: MLPRegressor | None = None
    n_networks: int = 5

    def fit(
        self,
        X: MatrixLike,
        y: TargetLike,
        sample_weight: VectorLike | None = None,
        eval_set: EvalSet = None,
    ) -> EnsembleRegressor:
        """Train all networks.

        Parameters
        ----------
        X, y, sample_weight
            As for `MLPRegressor.fit`.
        eval_set : (X, y), optional
            Held-out rows, which each network measures and early stopping watches; the noise is
            learned from them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is not as above.
        """
        self._fit(X, y, sample_weight, eval_set)
        return self

    def _learn(self, rows: EnsembleData, times: list[Array] | None) -> None:
        self.__dict__.pop("noise_", None)  # it would be of an earlier fit
        first, n = self.estimators_[0], len(self.estimators_)
        drops = settings.drops(first)
        if first.loss != "squared_error" or not (drops or n > 1):
            return
        if first.precision is not None:
            self.noise_ = np.full(self.n_outputs_, 1 / math.sqrt(first.precision))
            return
        X, y, weights = (*rows.held, None) if rows.held else (rows.X, rows.y, rows.weights)
        places = noise.some_rows(X.shape[0], weights)
        X, y = X[places], first.head_.targets(y[places])
        weights = None if weights is None else weights[places]
        turns = -(-noise.N_DRAWS // n) if drops else 1
        how = How(turns * n, progress=False)
        centers = self._drawer_of(X).sample(how).astype(np.float64)
        if times is not None and rows.held is None:
            centers, others = _of_others(centers, np.stack(times)[:, places] > 0)
            y, weights = y[others], None if weights is None else weights[others]
        self.noise_ = noise.noise_of(centers, y, weights)

    @property
    def head_(self) -> NumberHead:
        """The head that makes numbers and their noise of the networks' outputs."""
        check_learned(self, "estimators_")
        return replace(self.estimators_[0].head_, noise=vars(self).get("noise_"))

    def _means_of(self, X: MatrixLike) -> Array:
        X = self._entering(X)
        return mean_of([member.predict(X) for member in self.estimators_])


def _of_others(centers: Array, chosen: Array) -> tuple[Array, Array]:
    """For each row the draws of those networks whose bootstrap sample left it out; and the rows.

    Draws are repeated so that all rows have the same number.  If every sample has every row, all
    draws and rows are returned.
    """
    shape = len(centers), chosen.shape[1]
    others = ~np.resize(chosen, shape)  # draw d is of network d % n_networks
    rows = np.flatnonzero(others.any(axis=0))
    if not len(rows):
        return centers, np.arange(centers.shape[1])
    places = [np.resize(np.flatnonzero(others[:, row]), len(centers)) for row in rows]
    return centers[np.stack(places, axis=1), rows], rows
