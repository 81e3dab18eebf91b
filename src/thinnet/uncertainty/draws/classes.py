"""Uncertainty of classes from the draws of a classifier."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from thinnet.arithmetic import lane_sum, log
from thinnet.arrays import Array, MatrixLike, Samples, Share, TargetLike
from thinnet.moved import RenamedMethod
from thinnet.uncertainty.draws import measures, reducing
from thinnet.uncertainty.draws.drawing import How, Part, standard_error
from thinnet.uncertainty.draws.drawn import Drawn
from thinnet.uncertainty.draws.heads import MEASURES, ClassHead
from thinnet.uncertainty.draws.results import Result


@dataclass(frozen=True, eq=False, repr=False)
class ClassUncertainty(Result):
    """Class probabilities of each row over the draws, and their uncertainty; entropies in nats.

    ``predictive_entropy = expected_entropy + mutual_information``.  With several labels at once
    each label is two classes; entropies are sums over labels, the variation ratio is a mean.

    Attributes
    ----------
    probabilities : array, shape (rows, n_classes)
        The mean over the draws.
    predictive_entropy : array, shape (rows,)
        The entropy of `probabilities`: the whole uncertainty of the class.
    expected_entropy : array, shape (rows,)
        The mean entropy of the draws: the aleatoric part.
    mutual_information : array, shape (rows,)
        The difference of both (BALD, Houlsby et al. 2011): the epistemic part, by which draws
        disagree and which more data would remove.
    variation_ratio : array, shape (rows,)
        The fraction of draws whose most probable class is not the most frequent one.
    std : array, shape (rows, n_classes)
        The standard deviation of the draws' probabilities.
    standard_error : array, shape (rows, n_classes)
        The standard error of `probabilities` for this number of draws.
    n_draws : array of int, shape (rows,)
        The number of draws of each row.
    """

    probabilities: Array
    predictive_entropy: Array
    expected_entropy: Array
    mutual_information: Array
    variation_ratio: Array
    std: Array
    standard_error: Array
    n_draws: Array


class DrawnClasses(Drawn):
    """The methods of a classifier that use its draws."""

    sample = RenamedMethod("sample_proba")

    @property
    @abstractmethod
    def head_(self) -> ClassHead:
        """The head that makes classes and probabilities of the networks' outputs."""

    def sample_proba(
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
        """The probabilities of classes that `n_draws` thinned networks predict.

        Parameters
        ----------
        X : as for `predict`
        n_draws : int, default=100
            At least 1.
        first : int, default=0
            The number of the first draw: ``sample_proba(X, 1, first=17)`` is draw 17 alone.
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
        array, shape (n_draws, rows, n_classes)
            Columns in the order of `classes_`.  With several networks draw d comes from network
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
    ) -> ClassUncertainty:
        """Mean class probabilities over the draws, and their uncertainty in parts.

        Parameters
        ----------
        X, seed, share, samples, progress : as for `sample_proba`
        n_draws : int, default=100
            At least 2; the most draws, with a tolerance.  Memory doesn't grow with it.
        tolerance : float, optional
            Stop drawing for a row when the standard error of its probabilities is at most this;
            it is checked after 16 draws, 32, and so on.

        Returns
        -------
        ClassUncertainty

        Raises
        ------
        ValueError
            If nothing draws, or a setting is not as above.

        References
        ----------
        Gal 2016, "Uncertainty in deep learning", section 3.3.1.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress).checked(least=2)
        drawer, head = self._drawer(X), self.head_
        found = drawer.gathered(how, head.of_draws, lambda part: _measured(part, head))
        return ClassUncertainty(**found)

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
        """The log of the probability that the mean over the draws gives each row's label.

        Parameters
        ----------
        X : as for `predict`
        y : array, shape (rows,), or with several labels (rows, n_classes)
        n_draws, seed, share, samples, tolerance, progress
            As for `uncertainty`; one draw is enough.

        Returns
        -------
        array, shape (rows,)
            In nats; the negative of its mean is the log loss.

        Raises
        ------
        ValueError
            If nothing draws, `y` doesn't fit, or a setting is not as above.
        """
        how = How(n_draws, seed, share, samples, tolerance, progress).checked()
        (drawer, known), head = self._with_targets(X, y), self.head_

        def summarise(part: Part) -> dict[str, Array]:
            p = reducing.mean(head.of_draws(part.draws))
            return {"log": _log_chances(p, known[part.places])}

        return drawer.gathered(how, head.of_draws, summarise)["log"]


def _measured(part: Part, head: ClassHead) -> dict[str, Array]:
    p = head.of_draws(part.draws)
    found = _of_labels(p) if head.is_multilabel else _measures(p)
    found |= {"probabilities": reducing.mean(p), "std": np.sqrt(reducing.variance(p))}
    return found | {
        "standard_error": standard_error(p),
        "n_draws": np.full(p.shape[1], len(p)),
    }


def _log_chances(p: Array, known: Array) -> Array:
    """The log of the probability of each row's true label or labels, shape (rows,)."""
    if known.ndim == 2:
        return reducing.sum_along(log(np.where(known > 0, p, 1 - p)))
    return log(p[np.arange(len(known)), known])


def _of_labels(p: Array) -> dict[str, Array]:
    """The measures of several labels: sums of entropies, and the mean variation ratio."""
    pairs = np.stack([1 - p, p], axis=-1)
    of_each = [_measures(pairs[:, :, j]) for j in range(p.shape[2])]
    found = {name: lane_sum(np.stack([part[name] for part in of_each])) for name in MEASURES}
    return found | {"variation_ratio": found["variation_ratio"] / len(of_each)}


def _measures(p: Array) -> dict[str, Array]:
    total, noise = measures.predictive_entropy(p), measures.expected_entropy(p)
    return {
        "predictive_entropy": total,
        "expected_entropy": noise,
        "mutual_information": measures.disagreement(total, noise),
        "variation_ratio": measures.variation_ratio(p),
    }
