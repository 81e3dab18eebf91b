"""Error bars of numbers: what the draws of a regressor say together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Samples
from thinnet.uncertainty import reducing
from thinnet.uncertainty.drawing import Drawer, How, standard_error
from thinnet.uncertainty.mixtures import Mixture
from thinnet.uncertainty.results import Result

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


class _Spread(NamedTuple):
    mean: Array
    std: Array
    epistemic: Array
    aleatoric: Array
    standard_error: Array


def spread(mixture: Mixture) -> _Spread:
    means = mixture.means()
    epistemic, aleatoric = reducing.variance(means), reducing.mean(mixture.variances())
    return _Spread(
        reducing.mean(means),
        np.sqrt(epistemic + aleatoric),
        np.sqrt(epistemic),
        np.sqrt(aleatoric),
        standard_error(means),
    )


class DrawnNumbers:
    """What a regressor can say by its draws."""

    n_outputs_: int

    @abstractmethod
    def _drawer(self, X: Any) -> Drawer:
        """The networks, and the rows as they take them."""

    @abstractmethod
    def _mixture(self, outputs: Array) -> Mixture:
        """What raw outputs of shape (n_draws, rows, outputs) say."""

    @abstractmethod
    def _known(self, y: Any) -> Array:
        """Targets in their own units, shape (rows, outputs)."""

    def sample(
        self,
        X: Any,
        n_draws: int = 100,
        *,
        first: int = 0,
        seed: int | None = None,
        share: str = "draw",
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
        share : {'draw', 'element'}, default='draw'
            'draw': a draw is one thinned network for all rows; 'element': each row has its own
            masks.
        samples : sequence of int, optional
            The rows' ids, for ``share='element'``; None takes their places in this call.
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
        how = How(n_draws, seed, share, samples, progress=progress).checked()
        return self._means(self._drawer(X).sample(how, first))

    def uncertainty(
        self,
        X: Any,
        n_draws: int = 100,
        *,
        seed: int | None = None,
        share: str = "draw",
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
        drawer = self._drawer(X)
        shape = (drawer.rows, self.n_outputs_)
        found = _Spread(*(np.empty(shape) for _ in _Spread._fields))
        taken = np.empty(drawer.rows, np.int64)
        for places, draws in drawer.parts(how, self._means):
            for whole, part in zip(found, spread(self._mixture(draws)), strict=True):
                whole[places] = part
            taken[places] = len(draws)
        told = {name: self._told(part) for name, part in found._asdict().items()}
        return NumberUncertainty(**told, n_draws=taken)

    def predict_quantiles(
        self, X: Any, quantiles: Sequence[float] | float = (0.05, 0.5, 0.95), **how: Any
    ) -> Array:
        """Quantiles of each row's target, of the draws and their noise together.

        Parameters
        ----------
        X : as for `predict`
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Levels, each in (0, 1); a number is a sequence of one.
        **how
            n_draws, seed, share, samples, tolerance, progress: as for `uncertainty`.

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
        drawer = self._drawer(X)
        found = np.empty((drawer.rows, len(levels), self.n_outputs_))
        for places, draws in drawer.parts(How(**how).checked(least=2), self._means):
            mixture = self._mixture(draws)
            for i, level in enumerate(levels):
                found[places, i] = mixture.quantile(level)
        return self._told(found)

    def predict_interval(self, X: Any, coverage: float = 0.9, **how: Any) -> Array:
        """The central interval that holds a row's target with probability `coverage`.

        It is as good as the model is; `SplitConformalRegressor` makes one with a guarantee.

        Parameters
        ----------
        X : as for `predict`
        coverage : float, default=0.9
            In (0, 1).
        **how
            n_draws, seed, share, samples, tolerance, progress: as for `uncertainty`.

        Returns
        -------
        array, shape (rows, 2) or (rows, 2, n_outputs)
            Lower and upper end, in the target's own units.

        Raises
        ------
        ValueError
            If nothing draws, or `coverage` or a setting is not as above.
        """
        outside = (1 - checks.inside("coverage", coverage)) / 2
        return self.predict_quantiles(X, (outside, 1 - outside), **how)

    def log_likelihood(self, X: Any, y: Any, **how: Any) -> Array:
        """The log of the density that the draws give each row's target.

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,) or (rows, n_outputs)
        **how
            n_draws, seed, share, samples, tolerance, progress: as for `uncertainty`.

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
        drawer, y = self._drawer(X), self._known(y)
        checks.same_length("y", y, "X", drawer.rows)
        found = np.empty(drawer.rows)
        for places, draws in drawer.parts(How(**how).checked(), self._means):
            found[places] = self._mixture(draws).log_density(y[places])
        return found

    def distribution(self, X: Any, y: Any, **how: Any) -> Array:
        """The probability that the draws give to a target of at most `y`, their noise included.

        At true targets these are PIT values: uniform over [0, 1] if the model is as sure as it
        should be, which `PITHistogram` shows.  (Not of counts, whose distribution has steps.)

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,) or (rows, n_outputs)
        **how
            n_draws, seed, share, samples, tolerance, progress: as for `uncertainty`.

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
        drawer, y = self._drawer(X), self._known(y)
        checks.same_length("y", y, "X", drawer.rows)
        found = np.empty((drawer.rows, self.n_outputs_))
        for places, draws in drawer.parts(How(**how).checked(), self._means):
            found[places] = self._mixture(draws).distribution(y[places])
        return self._told(found)

    def _mean_and_std(self, X: Any, return_std: bool, how: dict[str, Any]) -> Any:
        """For `predict`: None without `return_std`."""
        if not return_std:
            if how:
                raise ValueError(
                    f"{', '.join(how)} must come with return_std=True, got return_std=False"
                )
            return None
        found = self.uncertainty(X, **how)
        return found.mean, found.std

    def _means(self, outputs: Array) -> Array:
        return self._mixture(outputs).means()

    def _told(self, values: Array) -> Array:
        return values[..., 0] if self.n_outputs_ == 1 else values
