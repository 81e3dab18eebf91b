"""What `--uncertainty` asks for, and its answers for some rows in one pass over the draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Share
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.drawing import How
from thinnet.uncertainty.draws.mixtures import Mixture
from thinnet.uncertainty.draws.numbers import central, spread

SHARES: Final[dict[str, Share]] = {"batch": "batch", "none": None}  # --share, and `share`
SHARES_BEFORE: Final = {"draw": "batch", "element": "none"}
SPREAD: Final = ("mean", "std", "epistemic", "aleatoric")
COVERAGE: Final = 0.9  # of intervals, unless asked otherwise
MEASURES: Final = {  # a column of predictions, and what it is called in `uncertainty`
    "entropy": "predictive_entropy",
    "expected_entropy": "expected_entropy",
    "mutual_information": "mutual_information",
    "variation_ratio": "variation_ratio",
}


@dataclass(frozen=True)
class ErrorBars:
    """How many draws, how much their intervals hold (None: `COVERAGE`), and do rows share masks?"""

    n_draws: int = 100
    coverage: float | None = None
    share: str = "batch"

    def __post_init__(self) -> None:
        checks.integer("--draws", self.n_draws, 2)
        if self.coverage is not None:
            checks.inside("--coverage", self.coverage)
        checks.one_of("--share", self.share, tuple(SHARES), SHARES_BEFORE)

    def how(self, start: int, rows: int) -> How:
        """For so many rows of a file from `start` on, whose places are the ids of their masks."""
        share = SHARES[self.share]
        ids = range(start, start + rows) if share is None else None
        return How(self.n_draws, share=share, samples=ids, progress=False)

    def ends(self) -> tuple[float, float]:
        return central(self.coverage or COVERAGE)

    def check_fits(self, estimator: Any) -> None:
        """ValueError where something was asked for that the estimator doesn't have."""
        if hasattr(estimator, "classes_"):
            name = getattr(estimator, "target_name_", "prediction")
            others = f"named other than {', '.join(MEASURES)}"
            checks.must(name not in MEASURES, "target", others, name)
        plain = hasattr(estimator, "classes_") and not hasattr(estimator, "conformal_")
        if self.coverage is not None and plain:
            raise ValueError(
                "--coverage must be left out for a model of classes without --conformal, got "
                f"{self.coverage}"
            )


class Forecast(NamedTuple):
    """Of each row's number; the last two of where it turned out to be, if that is known.

    Attributes
    ----------
    mean, std, epistemic, aleatoric : array, shape (rows,)
    quantiles : array, shape (rows, levels)
    log_density : array, shape (rows,)
    below : array, shape (rows,)
        The probability of at most the true number.
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
    """All that is asked of a regressor of one number, of the same draws."""

    def tell(mixture: Mixture, places: Array) -> dict[str, Array]:
        found, unknown = spread(mixture), np.full(len(places), np.nan)
        told = {name: getattr(found, name)[:, 0] for name in SPREAD}
        told["quantiles"] = np.stack([mixture.quantile(level)[:, 0] for level in levels], axis=1)
        if y is None:
            return told | {"log_density": unknown, "below": unknown}
        truth = y[places, None]
        below = mixture.distribution(truth)[:, 0]
        return told | {"log_density": mixture.log_density(truth), "below": below}

    return Forecast(**estimator._of_mixtures(estimator._drawer(frame), how, tell))


def columns(
    estimator: Any, frame: Frame, bars: ErrorBars, start: int, probabilities: bool
) -> Frame:
    """Predictions and their error bars, for rows of a file from `start` on."""
    import pandas as pd

    name = getattr(estimator, "target_name_", "prediction")
    how = bars.how(start, len(frame))
    found = (
        _of_classes(estimator, frame, how, name, probabilities)
        if hasattr(estimator, "classes_")
        else _of_numbers(estimator, frame, how, name, bars)
    )
    return pd.DataFrame(found)


def _of_classes(
    estimator: Any, frame: Frame, how: How, name: str, probabilities: bool
) -> dict[str, Array]:
    found = estimator.uncertainty(frame, **how._asdict())
    told = guesses(name, found.probabilities, estimator, probabilities)
    return told | {column: getattr(found, measure) for column, measure in MEASURES.items()}


def guesses(name: str, p: Array, estimator: Any, each: bool) -> dict[str, Array]:
    """The predicted classes as the column `name`; with `each` also a column for each class."""
    classes = estimator.classes_
    columns = {f"p({label})": p[:, k] for k, label in enumerate(classes)} if each else {}
    return {name: estimator._guesses(p), **columns}


def _of_numbers(
    estimator: Any, frame: Frame, how: How, name: str, bars: ErrorBars
) -> dict[str, Array]:
    found = forecast(estimator, frame, how, bars.ends())
    return {
        name: found.mean,
        f"{name}_std": found.std,
        f"{name}_epistemic": found.epistemic,
        f"{name}_aleatoric": found.aleatoric,
        f"{name}_low": found.quantiles[:, 0],
        f"{name}_high": found.quantiles[:, 1],
    }
