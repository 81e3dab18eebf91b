"""A model's answers with dropout off and its draws, for rows with known targets, read in blocks."""

from __future__ import annotations

import os
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.commands import evaluating
from thinnet.commands.blame import data_at_fault
from thinnet.commands.coverage import CoverageCheck
from thinnet.commands.error_bars import ErrorBars, Forecast, forecast
from thinnet.commands.evaluating import Answers, Blocks
from thinnet.tables import drifting, uncertain
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.distributions import central
from thinnet.uncertainty.draws.heads import ClassHead

COVERAGES: Final = (0.5, 0.8, 0.9, 0.95)
LEVELS: Final = tuple(level for coverage in COVERAGES for level in central(coverage))
MOST_UNCERTAIN: Final = 20  # rows in the table of the least certain


class Guesses(NamedTuple):
    """Mean probabilities over the draws, shape (rows, n_classes), and their entropies, (rows,)."""

    probabilities: Array
    entropy: Array


DrawSummary: TypeAlias = Guesses | Forecast


class Measured(NamedTuple):
    """Answers with dropout off, the draws of the same rows, and the least certain rows, or None.

    The quantiles of a forecast are at `LEVELS`.
    """

    answers: Answers
    draws: DrawSummary
    least_certain: Frame | None


@data_at_fault()
def measure(
    estimator: Any,
    table: str | os.PathLike[str],
    bars: ErrorBars,
    held: CoverageCheck | None = None,
    examples: Blocks | None = None,
) -> Measured:
    """All that calibration is judged by; for each row some numbers stay in memory, no columns.

    Parameters
    ----------
    estimator, table, bars
    held : CoverageCheck, optional
        Counts the targets in intervals or sets with a guarantee, which use no draws.
    examples : Blocks, optional
        Takes rows and answers; with it the least certain rows are kept too.

    Raises
    ------
    DataFileError
        If the file can't be read, lacks the target, or has no row whose target is known.
    ValueError
        If nothing draws.
    """
    answers, draws, uncertain_rows = [], [], LeastCertain(estimator)
    for rows in evaluating.known(estimator, table, held):
        y = evaluating.truth(estimator, rows)
        with drifting.reported_to(drifting.ignored):  # the answers without draws warn of drift
            draws.append(_draw_summary(estimator, rows, y, bars))
        weights = evaluating.weights_of(estimator, rows)
        answers.append(evaluating.answers(estimator, rows, y, weights))
        if held is not None and held.is_conformal:
            held.add(rows, y)
        if examples is not None:
            examples.add(rows, answers[-1])
            uncertain_rows.add(rows, draws[-1])
    with drifting.reported_to(drifting.ignored):
        shown = uncertain_rows.frame(bars.n_draws) if examples is not None else None
    return Measured(Answers.joined(answers), type(draws[0])(*_joined(draws)), shown)


def _joined(parts: list[Any]) -> list[Array]:
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _draw_summary(estimator: Any, rows: Frame, y: Array, bars: ErrorBars) -> DrawSummary:
    how = bars.how(0, len(rows))
    if isinstance(estimator.head_, ClassHead):
        found = estimator.uncertainty(rows, **how._asdict())
        return Guesses(found.probabilities, found.predictive_entropy)
    return forecast(estimator, rows, how, LEVELS, y)


class LeastCertain:
    """Keeps the least certain rows of all blocks, and a typical row of each."""

    def __init__(self, estimator: Any) -> None:
        self.estimator, self.columns = estimator, uncertain.used(estimator)
        self.rows: list[Frame] = []
        self.values: list[Array] = []
        self.typical: list[Frame] = []

    def add(self, rows: Frame, draws: DrawSummary) -> None:
        import pandas as pd

        values = draws.entropy if isinstance(draws, Guesses) else draws.std
        self.typical.append(uncertain.typical_row(rows, self.columns))
        all_rows, all_values = pd.concat([*self.rows, rows]), np.concatenate([*self.values, values])
        most = uncertain.least_certain(all_values, MOST_UNCERTAIN)
        self.rows, self.values = [all_rows.iloc[most]], [all_values[most]]

    def frame(self, n_draws: int) -> Frame:
        """The frame of `uncertain_rows` with the true target; typical cells are over all blocks."""
        import pandas as pd

        (rows,), typical = self.rows, pd.concat(self.typical, ignore_index=True)
        measure = uncertain.checked_measure(self.estimator, None)
        cells = uncertain.typical_row(typical, self.columns)
        found = uncertain.frame_of(self.estimator, rows, cells, n_draws, measure)
        found.insert(2, "true", evaluating.truth(self.estimator, rows))
        return found
