"""Tables that compare a model's confidence with its accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from rich.table import Table
from scipy import stats
from scipy.special import entr

from thinnet.arrays import Array
from thinnet.commands.error_bars import Forecast
from thinnet.commands.measuring import COVERAGES, Measured
from thinnet.commands.scoring import number_text, proper
from thinnet.uncertainty.brier import brier_parts, brier_score
from thinnet.uncertainty.calibration import expected_calibration_error, negative_log_likelihood
from thinnet.uncertainty.intervals import interval_coverage, interval_score, interval_width
from thinnet.uncertainty.selection import area_under_risk_coverage

N_BINS: Final = 15


class Comparison(NamedTuple):
    """A figure of a classifier: with dropout off, and of the mean over the draws."""

    name: str
    dropout_off: float
    over_draws: float


class Interval(NamedTuple):
    """The observed coverage, mean width and score of intervals with a nominal coverage."""

    nominal: float
    coverage: float
    width: float
    score: float


CLASS_FIGURES: Final[dict[str, Callable[[Array, Array], float]]] = {
    "negative log likelihood (nats)": negative_log_likelihood,
    "Brier score": brier_score,
    "its reliability part": lambda y, p: brier_parts(y, p, n_bins=N_BINS).reliability,
    "ECE, bins of equal width": lambda y, p: expected_calibration_error(y, p, n_bins=N_BINS),
    "ECE, bins of equal mass": lambda y, p: expected_calibration_error(
        y, p, n_bins=N_BINS, strategy="quantile"
    ),
    "AUROC of errors by entropy": lambda y, p: auroc_of_errors(y, p),
    "area under risk-coverage": lambda y, p: area_under_risk_coverage(errors(y, p), entropy(p)),
}


def errors(y: Array, p: Array) -> Array:
    """1 where the most probable class is not the one at place `y`, else 0."""
    return (p.argmax(axis=1) != y).astype(float)


def entropy(p: Array) -> Array:
    return entr(p).sum(axis=1)


def auroc_of_errors(y: Array, p: Array) -> float:
    """The probability that a wrong row is less certain than a right one; NaN without both."""
    from sklearn.metrics import roc_auc_score

    wrong = errors(y, p)
    return float(roc_auc_score(wrong, entropy(p))) if 0 < wrong.sum() < len(y) else math.nan


def class_figures(found: Measured) -> list[Comparison]:
    y, plain, _ = found.answers
    both = proper(plain), proper(found.draws.probabilities)  # type: ignore[union-attr]
    return [
        Comparison(name, *(figure(y, p) for p in both)) for name, figure in CLASS_FIGURES.items()
    ]


def intervals(y: Array, draws: Forecast) -> list[Interval]:
    found = []
    for i, nominal in enumerate(COVERAGES):
        low, high = draws.quantiles[:, 2 * i : 2 * i + 2].T
        score = interval_score(y, low, high, coverage=nominal)
        covered, width = interval_coverage(y, low, high), interval_width(low, high)
        found.append(Interval(nominal, covered, width, score))
    return found


def number_figures(found: Measured) -> dict[str, float]:
    """All figures of a regressor but those of its intervals."""
    y, draws = found.answers.y, found.draws
    assert isinstance(draws, Forecast)
    off = np.abs(y - draws.mean)
    return {
        "RMSE, dropout off": _root_mean_square(y - found.answers.predicted),
        "RMSE, mean of the draws": _root_mean_square(off),
        "log likelihood of a row (nats)": float(draws.log_density.mean()),
        "rank correlation of |error| and std": _rank_correlation(off, draws.std),
        "area under risk-coverage, of |error| by std": area_under_risk_coverage(off, draws.std),
    }


def _root_mean_square(error: Array) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def _rank_correlation(a: Array, b: Array) -> float:
    """Spearman's rank correlation; NaN where `a` or `b` is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(stats.spearmanr(a, b).statistic)


def tables(title: str, found: Measured, n_draws: int) -> list[Table]:
    """The tables that `thinnet evaluate --uncertainty` prints."""
    if isinstance(found.draws, Forecast):
        return [_intervals_table(title, found), _figures_table(found)]
    table = _table(("", "dropout off", f"{n_draws} draws"), f"{title}: how sure it is")
    for figure in class_figures(found):
        table.add_row(figure.name, *map(_number_or_dash, figure[1:]))
    return [table]


def _intervals_table(title: str, found: Measured) -> Table:
    heads = ("intervals meant to hold", "hold", "mean width", "interval score")
    table = _table(heads, f"{title}: how sure it is")
    for nominal, coverage, width, score in intervals(found.answers.y, found.draws):  # type: ignore[arg-type]
        table.add_row(
            f"{100 * nominal:g} %",
            f"{100 * coverage:.1f} %",
            number_text(width),
            number_text(score),
        )
    return table


def _figures_table(found: Measured) -> Table:
    table = _table(("", "model"))
    for name, value in number_figures(found).items():
        table.add_row(name, _number_or_dash(value))
    return table


def _table(heads: tuple[str, ...], title: str | None = None) -> Table:
    table = Table(*heads, title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _number_or_dash(value: float) -> str:
    return "-" if math.isnan(value) else number_text(value)
