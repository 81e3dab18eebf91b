"""Predictions of classifiers and regressors, without draws or from them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arithmetic import log
from thinnet.arrays import Array, MatrixLike, Predicted, Samples, Share
from thinnet.uncertainty.draws.classes import DrawnClasses
from thinnet.uncertainty.draws.drawing import NOT_GIVEN, Given, How, NotGiven
from thinnet.uncertainty.draws.heads import measure_of
from thinnet.uncertainty.draws.numbers import DrawnNumbers


class PredictsClasses(DrawnClasses):
    """The method `predict` of classifiers."""

    @abstractmethod
    def predict_proba(self, X: MatrixLike) -> Array:
        """The probability of each class, dropout off."""

    def _guesses_of(self, X: MatrixLike) -> Array:
        """The predicted labels, dropout off."""
        p = self.predict_proba(X)
        return self.head_.guesses(p)

    def predict(
        self,
        X: MatrixLike,
        abstain: float | None = None,
        measure: str | None = None,
        return_std: bool = False,
        *,
        n_draws: int | None = None,
        seed: int | None = None,
        share: Share | NotGiven = NOT_GIVEN,
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Predicted:
        """The most probable class of each row; with `abstain` only where the model is sure.

        With several networks the mean probability counts.  Estimators of tables take with
        `class_weight` the class of the largest ``weight * probability``, with `threshold_for` the
        class by `decision_`.

        Parameters
        ----------
        X : as for `fit`
            A table's columns may come in any order; others are ignored.
        abstain : float, optional
            Predict from draws with dropout on, and abstain where their `measure` is above this.
        measure : str, optional
            With `abstain`: 'predictive_entropy' (the default), 'mutual_information',
            'variation_ratio' or 'expected_entropy', see `uncertainty`.
        return_std : bool, default=False
            Predict from draws with dropout on, and also return the standard deviation over them of
            the predicted class's probability.
        n_draws, seed, share, samples, tolerance, progress
            With `abstain` or `return_std`: as for `uncertainty`.

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_classes)
            With `abstain` a masked array, masked where the model abstains; with `return_std` two.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted; with `abstain`, if nothing draws.
        """
        given = Given(n_draws, seed, share, samples, tolerance, progress)
        checks.boolean("return_std", return_std)
        if abstain is not None:
            checks.must(not return_std, "return_std", "False with abstain", return_std)
            return self._abstaining(X, abstain, measure, given.how())
        checks.must(measure is None, "measure", "None without abstain", measure)
        if return_std:
            return self._with_std(X, given.how())
        given.refuse("abstain or return_std=True", "abstain=None and return_std=False")
        return self._guesses_of(X)

    def predict_log_proba(self, X: MatrixLike) -> Array:
        """The natural logarithm of `predict_proba`; minus infinity where a probability is 0."""
        p = self.predict_proba(X)
        return log(p).astype(p.dtype)

    def _abstaining(
        self, X: MatrixLike, abstain: float, measure: str | None, how: How
    ) -> np.ma.MaskedArray:
        """Predicted labels from draws, masked where the measure is too large."""
        checks.non_negative("abstain", abstain)
        measure = measure_of(self.head_, measure)
        found = self.uncertainty(X, **how._asdict())
        guesses = self.head_.guesses(found.probabilities)
        unsure = getattr(found, measure) > abstain
        wide = unsure if guesses.ndim == 1 else np.broadcast_to(unsure[:, None], guesses.shape)
        return np.ma.masked_array(guesses, wide)

    def _with_std(self, X: MatrixLike, how: How) -> tuple[Any, Array]:
        """Predicted labels from draws, and the standard deviations of their probabilities."""
        found = self.uncertainty(X, **how._asdict())
        guesses = self.head_.guesses(found.probabilities)
        if guesses.ndim > 1:
            return guesses, found.std
        places = found.probabilities.argmax(axis=1)
        return guesses, found.std[np.arange(len(places)), places]


class PredictsNumbers(DrawnNumbers):
    """The method `predict` of regressors."""

    @abstractmethod
    def _means_of(self, X: MatrixLike) -> Array:
        """The predicted numbers, dropout off."""

    def predict(
        self,
        X: MatrixLike,
        return_std: bool = False,
        *,
        n_draws: int | None = None,
        seed: int | None = None,
        share: Share | NotGiven = NOT_GIVEN,
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Predicted:
        """The mean of each row's target, dropout off; or over draws, with error bars.

        With several networks it is the mean over them.  With ``loss="quantile"`` it is the median,
        or the quantile at the one level.

        Parameters
        ----------
        X : as for `fit`
            A table's columns may come in any order; others are ignored.
        return_std : bool, default=False
            Return the mean over draws with dropout on, and the standard deviation of a new target.
        n_draws, seed, share, samples, tolerance, progress
            With `return_std`: as for `uncertainty`.

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_outputs); or two of them
            In the target's own units.

        Raises
        ------
        NotFittedError, ValueError
            Before fit; if X is not like the X that was fitted; if nothing draws.
        """
        given = Given(n_draws, seed, share, samples, tolerance, progress)
        if not checks.boolean("return_std", return_std):
            given.refuse("return_std=True", "return_std=False")
            return self._means_of(X)
        found = self.uncertainty(X, **given.how()._asdict())
        return found.mean, found.std
