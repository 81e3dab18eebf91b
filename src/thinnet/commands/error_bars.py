"""The settings of `--uncertainty`, and error bars of rows from one set of draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Share
from thinnet.commands import conformal
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.distributions import central, summarised_mixtures
from thinnet.uncertainty.draws.drawing import How
from thinnet.uncertainty.draws.heads import ClassHead
from thinnet.uncertainty.draws.mixtures import Mixture
from thinnet.uncertainty.draws.spreads import spread

SHARES: Final[dict[str, Share]] = {"batch": "batch", "none": None}  # --share, and `share`
SHARES_BEFORE: Final = {"draw": "batch", "element": "none"}
SPREAD: Final = ("mean", "std", "epistemic", "aleatoric")
COVERAGE: Final = 0.9  # the default coverage of intervals
MEASURES: Final = {  # columns of predictions, and their names in `uncertainty`
    "entropy": "predictive_entropy",
    "expected_entropy": "expected_entropy",
    "mutual_information": "mutual_information",
    "variation_ratio": "variation_ratio",
}


@dataclass(frozen=True)
class ErrorBars:
    """The number of draws, the coverage of intervals (None: `COVERAGE`), and the masks' sharing."""

    n_draws: int = 100
    coverage: float | None = None
    share: str = "batch"

    def __post_init__(self) -> None:
        checks.integer("--draws", self.n_draws, 2)
        if self.coverage is not None:
            checks.inside("--coverage", self.coverage)
        checks.one_of("--share", self.share, tuple(SHARES), SHARES_BEFORE)

    def how(self, start: int, rows: int) -> How:
        """The settings for `rows` rows from place `start` on; the places are their sample ids."""
        share = SHARES[self.share]
        ids = range(start, start + rows) if share is None else None
        return How(self.n_draws, share=share, samples=ids, progress=False)

    def ends(self) -> tuple[float, float]:
        return central(self.coverage or COVERAGE)

    def check_fits(self, estimator: Any) -> None:
        """ValueError for a setting that does not suit the estimator."""
        head = estimator.head_
        of_classes = isinstance(head, ClassHead)
        if of_classes:
            others = f"named other than {', '.join(MEASURES)}"
            checks.must(head.name not in MEASURES, "target", others, head.name)
        plain = of_classes and not conformal.is_conformal(estimator)
        if self.coverage is not None and plain:
            raise ValueError(
                "--coverage must be left out for a model of classes without --conformal, got "
                f"{self.coverage}"
            )


class Forecast(NamedTuple):
    """The predicted distribution of each row; the last two are NaN where no target is known.

    Attributes
    ----------
    mean, std, epistemic, aleatoric : array, shape (rows,)
    quantiles : array, shape (rows, levels)
    log_density : array, shape (rows,)
    below : array, shape (rows,)
        The probability of a number of at most the target.
    """

    mean: Array
    std: Array
    epistemic: Array
    aleatoric: Array
    quantiles: Array
    log_density: Array
    below: Array


def forecast(
    estimator: Any, frame: Frame, how: How, levels: Sequence[float], y: Array | None = None
) -> Forecast:
    """The predicted distributions of a regressor of one number, all from the same draws."""

    def summary(mixture: Mixture, places: Array) -> dict[str, Array]:
        found, unknown = spread(mixture), np.full(len(places), np.nan)
        values = {name: getattr(found, name)[:, 0] for name in SPREAD}
        values["quantiles"] = np.stack([mixture.quantile(level)[:, 0] for level in levels], axis=1)
        if y is None:
            return values | {"log_density": unknown, "below": unknown}
        truth = y[places, None]
        below = mixture.distribution(truth)[:, 0]
        return values | {"log_density": mixture.log_density(truth), "below": below}

    return Forecast(**summarised_mixtures(estimator, frame, how, summary))


def columns(
    estimator: Any, frame: Frame, bars: ErrorBars, start: int, probabilities: bool
) -> Frame:
    """Predictions and their error bars, for rows of a file from `start` on."""
    import pandas as pd

    how = bars.how(start, len(frame))
    found = (
        _of_classes(estimator, frame, how, probabilities)
        if isinstance(estimator.head_, ClassHead)
        else _of_numbers(estimator, frame, how, bars)
    )
    return pd.DataFrame(found)


def _of_classes(estimator: Any, frame: Frame, how: How, probabilities: bool) -> dict[str, Array]:
    found = estimator.uncertainty(frame, **how._asdict())
    predictions = guesses(estimator.head_, found.probabilities, probabilities)
    return predictions | {column: getattr(found, measure) for column, measure in MEASURES.items()}


def guesses(head: ClassHead, p: Array, each: bool) -> dict[str, Array]:
    """The predicted classes as a column; with `each` also the probability of each class."""
    columns = dict(zip(head.columns, p.T, strict=True)) if each else {}
    return {head.name: head.guesses(p), **columns}


def _of_numbers(estimator: Any, frame: Frame, how: How, bars: ErrorBars) -> dict[str, Array]:
    found, name = forecast(estimator, frame, how, bars.ends()), estimator.head_.name
    return {
        name: found.mean,
        f"{name}_std": found.std,
        f"{name}_epistemic": found.epistemic,
        f"{name}_aleatoric": found.aleatoric,
        f"{name}_low": found.quantiles[:, 0],
        f"{name}_high": found.quantiles[:, 1],
    }
