"""Measures of the uncertainty of draws of class probabilities, and of their disagreement.

All take `p` of shape (draws, rows, classes), such as MC dropout or an ensemble gives, compute in
float64, and measure entropies in nats.  With the mean over draws written E,

    H[E p]  =  E H[p]  +  mutual information
    total      expected   disagreement of the draws
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arithmetic import entropy_of
from thinnet.arrays import Array, Float
from thinnet.uncertainty.draws import reducing
from thinnet.uncertainty.forecasts import probabilities


def draws_of(p: Any, at_least: int = 1) -> Float[Array, "draws rows classes"]:
    draws = probabilities("p", p, 3)
    checks.must(len(draws) >= at_least, "p", f"at least {at_least} draws", len(draws))
    return draws


def entropies(p: Array) -> Array:
    """The entropy of probabilities along the last axis."""
    return reducing.sum_along(entropy_of(p))


def predictive_entropy(p: Any) -> Float[Array, " rows"]:
    """Entropy of the mean prediction, ``H[mean over draws of p]``.

    Parameters
    ----------
    p : array-like of shape (draws, rows, classes)
        Probabilities; over the classes they sum to 1.

    Returns
    -------
    array of shape (rows,)
        In nats, from 0 to log(classes).

    Raises
    ------
    ValueError
        If `p` has another shape or does not hold probabilities.

    References
    ----------
    Gal 2016, "Uncertainty in Deep Learning", section 3.3.1.

    Examples
    --------
    >>> predictive_entropy([[[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]]).round(3)
    array([0.693, 0.693])
    """
    return entropies(reducing.mean(draws_of(p)))


def expected_entropy(p: Any) -> Float[Array, " rows"]:
    """Mean over draws of each draw's entropy: the uncertainty without their disagreement.

    Parameters
    ----------
    p : array-like of shape (draws, rows, classes)

    Returns
    -------
    array of shape (rows,)
        In nats, from 0 to `predictive_entropy`.

    Raises
    ------
    ValueError
        If `p` has another shape or does not hold probabilities.

    References
    ----------
    Houlsby et al. 2011, "Bayesian active learning for classification", equation 2, second term.

    Examples
    --------
    >>> expected_entropy([[[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]]).round(3)
    array([0.   , 0.693])
    """
    return reducing.mean(entropies(draws_of(p)))


def mutual_information(p: Any) -> Float[Array, " rows"]:
    """Predictive minus expected entropy: the disagreement of the draws (BALD).

    Parameters
    ----------
    p : array-like of shape (draws, rows, classes)
        At least 2 draws.

    Returns
    -------
    array of shape (rows,)
        In nats, from 0 to `predictive_entropy`; rounding cannot lead out of that range.

    Raises
    ------
    ValueError
        If `p` has another shape, does not hold probabilities, or is a single draw.

    References
    ----------
    Houlsby et al. 2011, equation 2; Gal, Islam, Ghahramani 2017, section 3.

    Examples
    --------
    >>> mutual_information([[[1, 0], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]]).round(3)
    array([0.693, 0.   ])
    """
    draws = draws_of(p, at_least=2)
    return disagreement(predictive_entropy(draws), expected_entropy(draws))


def disagreement(total: Array, expected: Array) -> Array:
    """Mutual information from both entropies; rounding cannot lead out of its range."""
    return np.clip(total - expected, 0, total)


def variation_ratio(p: Any) -> Float[Array, " rows"]:
    """Fraction of draws whose most probable class is not that of most draws.

    If a draw has several most probable classes, the first of them counts.

    Parameters
    ----------
    p : array-like of shape (draws, rows, classes)
        At least 2 draws.

    Returns
    -------
    array of shape (rows,)
        From 0 (all draws agree) to 1 - 1 / classes.

    Raises
    ------
    ValueError
        If `p` has another shape, does not hold probabilities, or is a single draw.

    References
    ----------
    Freeman 1965; Gal 2016, section 3.3.1.

    Examples
    --------
    >>> variation_ratio([[[0.9, 0.1]], [[0.8, 0.2]], [[0.3, 0.7]], [[0.6, 0.4]]])
    array([0.25])
    """
    draws = draws_of(p, at_least=2)
    named = draws.argmax(axis=-1)
    votes = [(named == place).sum(axis=0) for place in range(draws.shape[-1])]
    return (len(draws) - np.max(votes, axis=0)) / len(draws)


def class_std(p: Any) -> Float[Array, "rows classes"]:
    """Standard deviation over the draws of each class's probability, dividing by their number.

    Parameters
    ----------
    p : array-like of shape (draws, rows, classes)
        At least 2 draws.

    Returns
    -------
    array of shape (rows, classes)
        From 0 to 1/2 (``ddof=0``).

    Raises
    ------
    ValueError
        If `p` has another shape, does not hold probabilities, or is a single draw.

    Examples
    --------
    >>> class_std([[[0.9, 0.1]], [[0.5, 0.5]]])
    array([[0.2, 0.2]])
    """
    return np.sqrt(reducing.variance(draws_of(p, at_least=2)))
