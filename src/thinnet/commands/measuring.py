"""A model's answers with dropout off and its draws, for rows with known targets, read in blocks."""

from __future__ import annotations

import os
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.commands import evaluating
from thinnet.commands.blame import data_at_fault
from thinnet.commands.error_bars import ErrorBars, Forecast, forecast
from thinnet.commands.evaluating import Answers
from thinnet.commands.holding import Holding
from thinnet.tables import drifting, uncertain
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.numbers import central

COVERAGES: Final = (0.5, 0.8, 0.9, 0.95)
LEVELS: Final = tuple(level for coverage in COVERAGES for level in central(coverage))
MOST_UNCERTAIN: Final = 20  # rows that are told of


class Guesses(NamedTuple):
    """Mean probabilities over the draws, shape (rows, n_classes), and their entropies, (rows,)."""

    probabilities: Array
    entropy: Array


Drawn: TypeAlias = Guesses | Forecast


class Measured(NamedTuple):
    """Answers with dropout off, the draws of the same rows, and the least certain rows if asked.

    The quantiles of a forecast are at `LEVELS`.
    """

    plain: Answers
    drawn: Drawn
    least_certain: Frame | None


@data_at_fault()
def measure(
    estimator: Any,
    table: str | os.PathLike[str],
    bars: ErrorBars,
    held: Holding | None = None,
    *,
    least_certain: bool = False,
) -> Measured:
    """All that calibration is judged by; some numbers for each row stay in memory, no columns.

    Parameters
    ----------
    estimator, table, bars
    held : Holding, optional
        Sees the rows too: for what is guaranteed besides the draws.
    least_certain : bool, default=False
        Whether to keep the least certain rows.

    Raises
    ------
    DataFileError
        If the file can't be read, lacks the target, or has no row whose target is known.
    ValueError
        If nothing draws.
    """
    plain, drawn, kept = [], [], LeastCertain(estimator)
    for rows in evaluating.known(estimator, table, held):
        y = evaluating.truth(estimator, rows)
        with drifting.told_to(drifting.nothing):  # the plain answers tell of it
            drawn.append(_drawn(estimator, rows, y, bars))
        plain.append(evaluating.answers(estimator, rows, y))
        if held is not None and held.is_conformal:
            held.see(rows, y)
        if least_certain:
            kept.see(rows, drawn[-1])
    with drifting.told_to(drifting.nothing):
        shown = kept.told(bars.n_draws) if least_certain else None
    return Measured(Answers(*_joined(plain)), type(drawn[0])(*_joined(drawn)), shown)


def _joined(parts: list[Any]) -> list[Array]:
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _drawn(estimator: Any, rows: Frame, y: Array, bars: ErrorBars) -> Drawn:
    how = bars.how(0, len(rows))
    if hasattr(estimator, "classes_"):
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

    def see(self, rows: Frame, drawn: Drawn) -> None:
        import pandas as pd

        values = drawn.entropy if isinstance(drawn, Guesses) else drawn.std
        self.typical.append(uncertain.typical_row(rows, self.columns))
        all_rows, all_values = pd.concat([*self.rows, rows]), np.concatenate([*self.values, values])
        most = uncertain.least_certain(all_values, MOST_UNCERTAIN)
        self.rows, self.values = [all_rows.iloc[most]], [all_values[most]]

    def told(self, n_draws: int) -> Frame:
        """As `uncertain_rows`, and the true target; typical is what is so of the blocks' rows."""
        import pandas as pd

        (rows,), typical = self.rows, pd.concat(self.typical, ignore_index=True)
        measure = uncertain.checked_measure(self.estimator, None)
        cells = uncertain.typical_row(typical, self.columns)
        found = uncertain.told(self.estimator, rows, cells, n_draws, measure)
        found.insert(2, "true", evaluating.truth(self.estimator, rows))
        return found
