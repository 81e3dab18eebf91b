"""Predictions for a table's file, block by block, so that it may be larger than memory."""

from __future__ import annotations

import os
import warnings
from typing import Any, Final, NamedTuple

from thinnet.checks import DataFileError, DriftWarning
from thinnet.commands import conformal, places
from thinnet.commands.blame import data_at_fault
from thinnet.commands.error_bars import ErrorBars, columns, guesses
from thinnet.commands.keeping import Keep, beside
from thinnet.console import progress as bars
from thinnet.console.progress import PATIENCE
from thinnet.tables import drifting
from thinnet.tables.reading import blocks
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.writing import PredictionWriter
from thinnet.uncertainty.draws.heads import NumberHead

NO_COLUMNS: Final = Keep()
PARTS: Final = 1000  # steps of a progress bar


def predict(
    estimator: Any,
    table: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    probabilities: bool = False,
    error_bars: ErrorBars | None = None,
    block_rows: int | None = None,
    progress: bool | None = None,
    force: bool = True,
    keep: Keep = NO_COLUMNS,
    coverage: float | None = None,
    strict: bool = False,
) -> int:
    """Write a prediction for each row of `table` to `out`; return their number.

    With error bars predictions are means over draws with dropout on (or the most probable class),
    with columns of their uncertainty beside them.  Columns to keep stand first, unchanged; a
    prediction with the name of one of them is called "predicted NAME".  A file at `out` is
    replaced; without `force` only an empty one, or a table with the same columns.  A model of
    `fit --conformal` also gives intervals or sets of `coverage`.  If the table drifts there is a
    warning at its end; with `strict` it is an error, and nothing is written.

    Raises
    ------
    DataFileError
        If the file can't be read, a column to keep is not there, or it drifts, with `strict`.
    ValueError
        If a column is missing; if `out` can't be written to, is `table`, or is a file of another
        kind; if nothing draws for error bars, or they are of classes and a coverage of intervals
        is given.
    """
    if error_bars is not None:
        error_bars.check_fits(estimator)
    if probabilities and isinstance(estimator.head_, NumberHead):
        raise ValueError("--proba is for models of classes, got a model of numbers")
    places.check_apart("--out", out, {"TABLE": table})
    if not force:
        places.check_kind("--out", out, places.predictions_with(estimator.head_.name))

    question = _Question(estimator, probabilities, error_bars, coverage)
    drift = drifting.Total()
    with (
        drifting.reported_to(drift),
        PredictionWriter(out) as writer,
        bars.opened(progress, "predicting", 0, PARTS, PATIENCE) as bar,
    ):
        rows = done = 0
        for block in blocks(table, block_rows, estimator.dialect_, keep=keep.columns):
            with data_at_fault():
                answers = beside(block.kept, question.answers(block.frame, rows))
            if not (rows or force):
                kind = places.predictions_of(list(answers.columns))
                places.check_kind("--out", out, kind)
            writer.write(answers)
            rows += len(block.frame)
            bar.advance(int(block.done * PARTS) - done)
            done = int(block.done * PARTS)
        message = drift.message(estimator)
        if message and strict:
            raise DataFileError(message)
    if message:
        warnings.warn(message, DriftWarning, stacklevel=2)
    return rows


class _Question(NamedTuple):
    """An estimator, and the settings of its predictions for the rows of a file."""

    estimator: Any
    probabilities: bool
    error_bars: ErrorBars | None
    coverage: float | None

    def answers(self, frame: Frame, start: int) -> Frame:
        """The columns for the rows from place `start` on."""
        estimator, bars = self.estimator, self.error_bars
        if bars is None:
            found = _without_draws(estimator, frame, self.probabilities)
        else:
            found = columns(estimator, frame, bars, start, self.probabilities)
        if not conformal.is_conformal(estimator):
            return found
        coverage = self.coverage if bars is None else bars.coverage
        return found.assign(**conformal.columns(estimator, frame, coverage))


def _without_draws(estimator: Any, frame: Frame, probabilities: bool) -> Frame:
    import pandas as pd

    head = estimator.head_
    if isinstance(head, NumberHead):
        return pd.DataFrame({head.name: estimator.predict(frame)})
    p = estimator.predict_proba(frame)
    return pd.DataFrame(guesses(head, p, probabilities))
