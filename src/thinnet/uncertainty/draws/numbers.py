"""Error bars of numbers: what the draws of a regressor say together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, Samples, Share, TargetLike
from thinnet.uncertainty.draws.drawing import Drawer, How, Part
from thinnet.uncertainty.draws.drawn import Drawn
from thinnet.uncertainty.draws.heads import NumberHead
from thinnet.uncertainty.draws.mixtures import Mixture
from thinnet.uncertainty.draws.spreads import NumberUncertainty, spread


def central(coverage: float) -> tuple[float, float]:
    """The levels between which `coverage` lies in the middle."""
    outside = (1 - coverage) / 2
    return outside, 1 - outside


class DrawnNumbers(Drawn):
    """What a regressor can say by its draws."""

    @property
    @abstractmethod
    def head_(self) -> NumberHead:
        """What the networks' outputs mean: which numbers, and with how much noise."""

    def sample(
        self,
        X: MatrixLike,
        n_draws: int = 100,
        *,
        first: int = 0,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        progress: bool | None = None,
    ) -> Array:
        """What `n_draws` thinned networks predict.

        Parameters
        ----------
        X : as for `predict`
        n_draws : int, default=100
            At least 1.
        first : int, default=0
            The number of the first draw: ``sample(X, 1, first=17)`` is draw 17 alone.
        seed : int, optional
            Of the masks; None takes the networks' own.
        share : {'batch', None}, default='batch'
            'batch': a draw is one thinned network for all rows; None: each row has its own masks.
        samples : sequence of int, optional
            The rows' ids, for ``share=None``; None takes their places in this call.
        progress : bool, optional
            Show a progress bar when it takes longer than a second; by default on terminals.

        Returns
        -------
        array, shape (n_draws, rows, n_outputs)
            In the target's own units.  Of several networks draw d is one of network
            ``d % n_networks``.

        Raises
        ------
        ValueError
            If nothing draws, or a setting is not as above.
        MemoryError
            If the draws don't fit in memory; `uncertainty` reduces them as they come.

        References
        ----------
        Gal and Ghahramani 2016, "Dropout as a Bayesian approximation".
        """
        how = How(n_draws, seed, share, samples, progress=progress)
        return self._sample(X, how, first)

    def uncertainty(
        self,
        X: MatrixLike,
        n_draws: int = 100,
        *,
        seed: int | None = None,
        share: Share = "batch",
        samples: Samples | None = None,
        tolerance: float | None = None,
        progress: bool | None = None,
    ) -> NumberUncertainty:
        """Mean and spread of each row's target, the spread divided by where it comes from.

        Parameters
        ----------
        X, seed, share, samples, progress : as for `sample`
        n_draws : int, default=100
            At least 2; the most draws, with a tolerance.  Memory doesn't grow with it.
        tolerance : float, optional
            Stop drawing for a row when the standard error of its mean is at most this, in the
            target's units; asked after 16 draws, 32, and so on.

        Returns
        -------
        NumberUncertainty

        Raises
        ------
        ValueError
            If nothing draws, or a setting is not as above.

        References
        ----------
        Gal 2016, "Uncertainty in deep learning", section 3.3; Kendall and Gal 2017 (the parts).
        """
        how = How(n_draws, seed, share, samples, tolerance, progress).checked(least=2)
        drawer, head = self._drawer(X), self.head_

        def tell(part: Part) -> dict[str, Array]:
            found = spread(head.mixture(part.draws))._asdict()
            told = {name: head.squeezed(values) for name, values in found.items()}
            return told | {"n_draws": np.full(len(part.places), len(part.draws))}

        return NumberUncertainty(**drawer.gathered(how, head.of_draws, tell))

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
        """Quantiles of each row's target, of the draws and their noise together.

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

        def tell(mixture: Mixture, _: Array) -> dict[str, Array]:
            return {"quantiles": np.stack([mixture.quantile(q) for q in levels], axis=1)}

        how = How(n_draws, seed, share, samples, tolerance, progress).checked(least=2)
        found = told_of_mixtures(self, X, how, tell)
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

        It is as good as the model is; `SplitConformalRegressor` makes one with a guarantee.

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
            Lower and upper end, in the target's own units.

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
            In nats, of all outputs together; its mean is the figure of published tables.

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

        At true targets these are PIT values: uniform over [0, 1] if the model is as sure as it
        should be, which `PITHistogram` shows.  (Not of counts, whose distribution has steps.)

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,) or (rows, n_outputs)
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`.

        Returns
        -------
        array, shape (rows,) or (rows, n_outputs)
            In [0, 1], of each output for itself.

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

    def _mean_and_std(self, X: MatrixLike, return_std: bool, how: How) -> Any:
        """For `predict`: None without `return_std`."""
        if not return_std:
            if given := how.given():
                raise ValueError(
                    f"{', '.join(given)} must come with return_std=True, got return_std=False"
                )
            return None
        found = self.uncertainty(X, **how._asdict())
        return found.mean, found.std

    def _at_targets(self, X: MatrixLike, y: TargetLike, how: How, name: str) -> Array:
        """The method `name` of the mixtures, at each row's own target."""
        X, y = self._paired(X, y)
        drawer, y = self._drawer(X), self.head_.known(y)
        checks.same_length("y", y, "X", drawer.rows)

        def tell(mixture: Mixture, places: Array) -> dict[str, Array]:
            return {name: getattr(mixture, name)(y[places])}

        return of_mixtures(drawer, self.head_, how.checked(), tell)[name]


def of_mixtures(
    drawer: Drawer,
    head: NumberHead,
    how: How,
    tell: Callable[[Mixture, Array], dict[str, Array]],
) -> dict[str, Array]:
    """What `tell` says of the mixture of some rows and of their places, for all rows."""
    return drawer.gathered(
        how, head.of_draws, lambda part: tell(head.mixture(part.draws), part.places)
    )


def told_of_mixtures(
    estimator: DrawnNumbers, X: Any, how: How, tell: Callable[[Mixture, Array], dict[str, Array]]
) -> dict[str, Array]:
    """The same of an estimator and rows as it takes them."""
    return of_mixtures(estimator._drawer(X), estimator.head_, how, tell)
