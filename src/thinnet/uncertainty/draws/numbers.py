"""Uncertainty of numbers from the draws of a regressor."""

from __future__ import annotations

import numpy as np

from thinnet.arrays import Array, MatrixLike, Samples, Share
from thinnet.uncertainty.draws.distributions import PredictiveDistributions
from thinnet.uncertainty.draws.drawing import How, Part
from thinnet.uncertainty.draws.spreads import NumberUncertainty, spread


class DrawnNumbers(PredictiveDistributions):
    """The methods of a regressor that use its draws."""

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
        """The predictions of `n_draws` thinned networks.

        Parameters
        ----------
        X : as for `predict`
        n_draws : int, default=100
            At least 1.
        first : int, default=0
            The number of the first draw: ``sample(X, 1, first=17)`` is draw 17 alone.
        seed : int, optional
            The seed of the masks; None takes the networks' own.
        share : {'batch', None}, default='batch'
            'batch': a draw is one thinned network for all rows; None: each row has its own masks.
        samples : sequence of int, optional
            The rows' ids, for ``share=None``; None takes their places in this call.
        progress : bool, optional
            Show a progress bar when it takes longer than a second; by default on terminals.

        Returns
        -------
        array, shape (n_draws, rows, n_outputs)
            In the target's own units.  With several networks draw d comes from network
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
        """Mean and spread of each row's target, with the spread's epistemic and aleatoric parts.

        Parameters
        ----------
        X, seed, share, samples, progress : as for `sample`
        n_draws : int, default=100
            At least 2; the most draws, with a tolerance.  Memory doesn't grow with it.
        tolerance : float, optional
            Stop drawing for a row when the standard error of its mean is at most this, in the
            target's units; it is checked after 16 draws, 32, and so on.

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

        def summarise(part: Part) -> dict[str, Array]:
            found = spread(head.mixture(part.draws))._asdict()
            squeezed = {name: head.squeezed(values) for name, values in found.items()}
            return squeezed | {"n_draws": np.full(len(part.places), len(part.draws))}

        return NumberUncertainty(**drawer.gathered(how, head.of_draws, summarise))
