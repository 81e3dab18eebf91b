"""Error bars of numbers: what the draws of a regressor say together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, MatrixLike, Samples, Share, TargetLike
from thinnet.uncertainty.draws import reducing
from thinnet.uncertainty.draws.drawing import Drawer, How, Part, standard_error
from thinnet.uncertainty.draws.drawn import Drawn
from thinnet.uncertainty.draws.mixtures import Mixture
from thinnet.uncertainty.draws.results import Result
from thinnet.uncertainty.draws.shapes import Calibrated

SPREADS: Final = ("std", "epistemic", "aleatoric")  # by which rows can be ranked


@dataclass(frozen=True, eq=False, repr=False)
class NumberUncertainty(Result):
    """Mean and spread of each row's target, in its own units.

    ``std ** 2 = epistemic ** 2 + aleatoric ** 2``.

    Attributes
    ----------
    mean : array, shape (rows,) or (rows, n_outputs)
        Over the draws.
    std : array of that shape
        Standard deviation of a new target.
    epistemic : array of that shape
        The part that more data would remove: the standard deviation of the draws.
    aleatoric : array of that shape
        The part that is noise.
    standard_error : array of that shape
        Of `mean`, since there were only so many draws; NaN for a single one.
    n_draws : array of int, shape (rows,)
        How many draws each row took.
    """

    mean: Array
    std: Array
    epistemic: Array
    aleatoric: Array
    standard_error: Array
    n_draws: Array


class Spread(NamedTuple):
    """The fields of `NumberUncertainty` of the same names, shape (rows, outputs)."""

    mean: Array
    std: Array
    epistemic: Array
    aleatoric: Array
    standard_error: Array


def spread(mixture: Mixture) -> Spread:
    means = mixture.means()
    epistemic, aleatoric = reducing.variance(means), reducing.mean(mixture.variances())
    found = Spread(
        reducing.mean(means),
        np.sqrt(epistemic + aleatoric),
        np.sqrt(epistemic),
        np.sqrt(aleatoric),
        standard_error(means),
    )
    return _calibrated(found, mixture) if isinstance(mixture, Calibrated) else found


def _calibrated(found: Spread, mixture: Calibrated) -> Spread:
    """With the moments of the calibrated distribution, divided in the same proportion."""
    mean, std = mixture.moments()
    scale = std / found.std
    return found._replace(
        mean=mean, std=std, epistemic=scale * found.epistemic, aleatoric=scale * found.aleatoric
    )


def central(coverage: float) -> tuple[float, float]:
    """The levels between which `coverage` lies in the middle."""
    outside = (1 - coverage) / 2
    return outside, 1 - outside


class DrawnNumbers(Drawn):
    """What a regressor can say by its draws."""

    n_outputs_: int

    @abstractmethod
    def _mixture(self, outputs: Array) -> Mixture:
        """What raw outputs of shape (n_draws, rows, outputs) say."""

    @abstractmethod
    def _known(self, y: TargetLike) -> Array:
        """Targets in their own units, shape (rows, outputs)."""

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

        def tell(part: Part) -> dict[str, Array]:
            found = spread(self._mixture(part.draws))._asdict()
            told = {name: self._told(values) for name, values in found.items()}
            return told | {"n_draws": np.full(len(part.places), len(part.draws))}

        return NumberUncertainty(**self._drawer(X).gathered(how, self._of_draws, tell))

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
        return self._told(self._of_mixtures(self._drawer(X), how, tell)["quantiles"])

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
        return self._told(self._at_targets(X, y, how, "distribution"))

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
        drawer, y = self._drawer(X), self._known(y)
        checks.same_length("y", y, "X", drawer.rows)

        def tell(mixture: Mixture, places: Array) -> dict[str, Array]:
            return {name: getattr(mixture, name)(y[places])}

        return self._of_mixtures(drawer, how.checked(), tell)[name]

    def _of_mixtures(
        self, drawer: Drawer, how: How, tell: Callable[[Mixture, Array], dict[str, Array]]
    ) -> dict[str, Array]:
        """What `tell` says of the mixture of some rows and of their places, for all rows."""
        return drawer.gathered(
            how, self._of_draws, lambda part: tell(self._mixture(part.draws), part.places)
        )

    def _of_width(self, y: Array) -> Array:
        """`y`, if it has a column for each output."""
        if y.shape[1] != self.n_outputs_:
            raise ValueError(f"y must have {self.n_outputs_} columns, got {y.shape[1]}")
        return y

    def _of_draws(self, outputs: Array) -> Array:
        return self._mixture(outputs).means()

    def _told(self, values: Array) -> Array:
        return values[..., 0] if self.n_outputs_ == 1 else values
