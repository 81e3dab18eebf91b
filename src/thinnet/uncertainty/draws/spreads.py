"""Mean and spread of numbers, with the epistemic and aleatoric parts of the spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.uncertainty.draws import reducing
from thinnet.uncertainty.draws.curves import Curves
from thinnet.uncertainty.draws.drawing import standard_error
from thinnet.uncertainty.draws.mixtures import Mixture
from thinnet.uncertainty.draws.results import Result
from thinnet.uncertainty.draws.shapes import Calibrated


@dataclass(frozen=True, eq=False, repr=False)
class NumberUncertainty(Result):
    """Mean and spread of each row's target, in its own units.

    ``std ** 2 = epistemic ** 2 + aleatoric ** 2``.

    Attributes
    ----------
    mean : array, shape (rows,) or (rows, n_outputs)
        The mean over the draws.
    std : array of that shape
        The standard deviation of a new target.
    epistemic : array of that shape
        The part that more data would remove: the standard deviation of the draws.
    aleatoric : array of that shape
        The part that is noise.
    standard_error : array of that shape
        The standard error of `mean` for this number of draws; NaN for a single draw.
    n_draws : array of int, shape (rows,)
        The number of draws of each row.
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
    return _calibrated(found, mixture) if isinstance(mixture, Calibrated | Curves) else found


def _calibrated(found: Spread, mixture: Calibrated | Curves) -> Spread:
    """The moments of the calibrated distribution, with the parts in the same proportion."""
    mean, std = mixture.moments()
    scale = std / found.std
    return found._replace(
        mean=mean, std=std, epistemic=scale * found.epistemic, aleatoric=scale * found.aleatoric
    )
