"""Quantiles, intervals and likelihoods of targets from the draws of a regressor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, Samples, Share, TargetLike
from thinnet.uncertainty.draws.drawing import Drawer, How
from thinnet.uncertainty.draws.drawn import Drawn, drawer_of
from thinnet.uncertainty.draws.heads import NumberHead
from thinnet.uncertainty.draws.mixtures import Mixture


def central(coverage: float) -> tuple[float, float]:
    """The two levels of the central interval with this coverage."""
    outside = (1 - coverage) / 2
    return outside, 1 - outside


class PredictiveDistributions(Drawn):
    """The methods of a regressor that use the distribution its draws make together."""

    @property
    @abstractmethod
    def head_(self) -> NumberHead:
        """The head that makes numbers and their noise of the networks' outputs."""

    def predict_quantiles(
        self,
        X: MatrixLike,
        quantiles: Sequence[float] | float = (0.05, 0.5, 0.95),
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Array:
        """Quantiles of each row's target, from the draws and their noise together.

        Parameters
        ----------
        X : as for `predict`
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Levels, each in (0, 1); a number is a sequence of one.
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`.

        Returns
        -------
        array, shape (rows, n_quantiles) or (rows, n_quantiles, n_outputs)
            In the target's own units.

        Raises
        ------
        ValueError
            If nothing draws, or a level or a setting is not as above.
        """
        given: Any = quantiles if np.iterable(quantiles) else [quantiles]
        levels = [checks.inside("each of quantiles", level) for level in given]
        checks.must(bool(levels), "quantiles", "a sequence of numbers in (0, 1)", quantiles)

        def summarise(mixture: Mixture, _: Array) -> dict[str, Array]:
            return {"quantiles": np.stack([mixture.quantile(q) for q in levels], axis=1)}

        how = How(n_draws, seed, share, samples, tolerance, progress).checked(least=2)
        found = summarised_mixtures(self, X, how, summarise)
        return self.head_.squeezed(found["quantiles"])

    def predict_interval(
        self,
        X: MatrixLike,
        coverage: float = 0.9,
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Array:
        """The central interval that holds a row's target with probability `coverage`.

        Its coverage is that of the model's assumptions; `SplitConformalRegressor` has a guarantee.

        Parameters
        ----------
        X : as for `predict`
        coverage : float, default=0.9
            In (0, 1).
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`.

        Returns
        -------
        array, shape (rows, 2) or (rows, 2, n_outputs)
            The lower and the upper end, in the target's own units.

        Raises
        ------
        ValueError
            If nothing draws, or `coverage` or a setting is not as above.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress)
        levels = central(checks.inside("coverage", coverage))
        return self.predict_quantiles(X, levels, **how._asdict())

    def log_likelihood(
        self,
        X: MatrixLike,
        y: TargetLike,
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Array:
        """The log of the density that the draws give each row's target.

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,) or (rows, n_outputs)
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`.

        Returns
        -------
        array, shape (rows,)
            In nats, of all outputs together; published tables give its mean.

        Raises
        ------
        ValueError
            If nothing draws, `y` doesn't fit, or a setting is not as above.

        References
        ----------
        Gal and Ghahramani 2016, eq. 8.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress)
        return self._at_targets(X, y, how, "log_density")

    def distribution(
        self,
        X: MatrixLike,
        y: TargetLike,
        *,
        n_draws: int = 100,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> Array:
        """The probability that the draws give to a target of at most `y`, their noise included.

        At true targets these are PIT values: uniform over [0, 1] if the model is calibrated, which
        `PITHistogram` shows.  (Not for counts, whose distribution has steps.)

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,) or (rows, n_outputs)
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`.

        Returns
        -------
        array, shape (rows,) or (rows, n_outputs)
            Probabilities in [0, 1], one for each output.

        Raises
        ------
        ValueError
            If nothing draws, `y` doesn't fit, or a setting is not as above.

        References
        ----------
        Dawid 1984, "Statistical theory: the prequential approach", section 5.3 (PIT).
        """
        how = How(n_draws, seed, share, samples, tolerance, progress)
        found = self._at_targets(X, y, how, "distribution")
        return self.head_.squeezed(found)

    def _at_targets(self, X: MatrixLike, y: TargetLike, how: How, name: str) -> Array:
        """The result of the mixtures' method `name` at each row's own target."""
        drawer, known = self._with_targets(X, y)

        def summarise(mixture: Mixture, places: Array) -> dict[str, Array]:
            return {name: getattr(mixture, name)(known[places])}

        return of_mixtures(drawer, self.head_, how.checked(), summarise)[name]


def of_mixtures(
    drawer: Drawer,
    head: NumberHead,
    how: How,
    summarise: Callable[[Mixture, Array], dict[str, Array]],
) -> dict[str, Array]:
    """The arrays of all rows that `summarise` makes from the mixtures of parts and their places."""
    return drawer.gathered(
        how, head.of_draws, lambda part: summarise(head.mixture(part.draws), part.places)
    )


def summarised_mixtures(
    estimator: PredictiveDistributions,
    X: Any,
    how: How,
    summarise: Callable[[Mixture, Array], dict[str, Array]],
) -> dict[str, Array]:
    """`of_mixtures` for an estimator and rows as it takes them."""
    return of_mixtures(drawer_of(estimator, X), estimator.head_, how, summarise)
