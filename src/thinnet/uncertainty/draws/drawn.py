"""What all estimators with error bars share: the draws themselves."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from thinnet.arrays import Array, MatrixLike, Samples, Share, TargetLike
from thinnet.uncertainty.draws.drawing import Drawer, How


class Drawn:
    """What an estimator can say by its draws."""

    @abstractmethod
    def _drawer(self, X: MatrixLike) -> Drawer:
        """The networks, and the rows as they take them."""

    @abstractmethod
    def _of_draws(self, outputs: Array) -> Array:
        """What raw outputs of shape (n_draws, rows, outputs) predict, draw by draw."""

    def _paired(self, X: MatrixLike, y: TargetLike) -> tuple[Any, Any]:
        """Rows and their targets, which may lie in one table."""
        return X, y

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
        array, shape (n_draws, rows, n_classes) or (n_draws, rows, n_outputs)
            Probabilities of classes, or numbers in the target's own units.  Of several networks
            draw d is one of network ``d % n_networks``.

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
        return self._of_draws(self._drawer(X).sample(how, first))
