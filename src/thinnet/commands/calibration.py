"""Is a model as sure as it should be?  Figures of its error bars, as tables."""

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
from thinnet.commands.scoring import proper, said
from thinnet.uncertainty.brier import brier_parts, brier_score
from thinnet.uncertainty.calibration import expected_calibration_error, negative_log_likelihood
from thinnet.uncertainty.intervals import interval_coverage, interval_score, interval_width
from thinnet.uncertainty.selection import area_under_risk_coverage

N_BINS: Final = 15


class Figure(NamedTuple):
    """Of classes, by the probabilities with dropout off and by the mean over the draws."""

    name: str
    plain: float
    drawn: float


class Interval(NamedTuple):
    """Of numbers: what intervals of a nominal coverage hold, their mean width, and their score."""

    nominal: float
    coverage: float
    width: float
    score: float


OF_CLASSES: Final[dict[str, Callable[[Array, Array], float]]] = {
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
    """1 where the most probable class is another than that at place `y`."""
    return (p.argmax(axis=1) != y).astype(float)


def entropy(p: Array) -> Array:
    return entr(p).sum(axis=1)


def auroc_of_errors(y: Array, p: Array) -> float:
    """How probably a wrong row is less certain than a right one; NaN where there are not both."""
    from sklearn.metrics import roc_auc_score

    wrong = errors(y, p)
    return float(roc_auc_score(wrong, entropy(p))) if 0 < wrong.sum() < len(y) else math.nan


def of_classes(found: Measured) -> list[Figure]:
    y, plain = found.plain
    both = proper(plain), proper(found.drawn.probabilities)  # type: ignore[union-attr]
    return [Figure(name, *(figure(y, p) for p in both)) for name, figure in OF_CLASSES.items()]


def intervals(y: Array, drawn: Forecast) -> list[Interval]:
    found = []
    for i, nominal in enumerate(COVERAGES):
        low, high = drawn.quantiles[:, 2 * i : 2 * i + 2].T
        score = interval_score(y, low, high, coverage=nominal)
        covered, width = interval_coverage(y, low, high), interval_width(low, high)
        found.append(Interval(nominal, covered, width, score))
    return found


def of_numbers(found: Measured) -> dict[str, float]:
    """The figures that are not of intervals."""
    y, drawn = found.plain.y, found.drawn
    assert isinstance(drawn, Forecast)
    off = np.abs(y - drawn.mean)
    return {
        "RMSE, dropout off": _root_mean_square(y - found.plain.predicted),
        "RMSE, mean of the draws": _root_mean_square(off),
        "log likelihood of a row (nats)": float(drawn.log_density.mean()),
        "rank correlation of |error| and std": _rank_correlation(off, drawn.std),
        "area under risk-coverage, of |error| by std": area_under_risk_coverage(off, drawn.std),
    }


def _root_mean_square(error: Array) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def _rank_correlation(a: Array, b: Array) -> float:
    """Spearman's; NaN where one of them is the same in all rows."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(stats.spearmanr(a, b).statistic)


def tables(title: str, found: Measured, n_draws: int) -> list[Table]:
    """What `thinnet evaluate --uncertainty` prints."""
    if isinstance(found.drawn, Forecast):
        return [_of_intervals(title, found), _others(found)]
    shown = _table(("", "dropout off", f"{n_draws} draws"), f"{title}: how sure it is")
    for figure in of_classes(found):
        shown.add_row(figure.name, _said(figure.plain), _said(figure.drawn))
    return [shown]


def _of_intervals(title: str, found: Measured) -> Table:
    heads = ("intervals meant to hold", "hold", "mean width", "interval score")
    shown = _table(heads, f"{title}: how sure it is")
    for nominal, coverage, width, score in intervals(found.plain.y, found.drawn):  # type: ignore[arg-type]
        shown.add_row(f"{100 * nominal:g} %", f"{100 * coverage:.1f} %", said(width), said(score))
    return shown


def _others(found: Measured) -> Table:
    shown = _table(("", "model"))
    for name, value in of_numbers(found).items():
        shown.add_row(name, _said(value))
    return shown


def _table(heads: tuple[str, ...], title: str | None = None) -> Table:
    shown = Table(*heads, title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    return shown


def _said(value: float) -> str:
    return "-" if math.isnan(value) else said(value)
