"""Predictions for a table's file, block by block, so that it may be larger than memory."""

from __future__ import annotations

import os
from typing import Any, Final

from thinnet import progress as bars
from thinnet.jobs.error_bars import ErrorBars, columns, guesses
from thinnet.progress import PATIENCE
from thinnet.tables.cells import Frame
from thinnet.tables.reading import blocks
from thinnet.tables.writing import PredictionWriter

PARTS: Final = 1000  # of a progress bar


def predict(
    estimator: Any,
    table: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    probabilities: bool = False,
    error_bars: ErrorBars | None = None,
    block_rows: int | None = None,
    progress: bool | None = None,
) -> int:
    """Write a prediction for each row of `table` to `out`; how many.

    With error bars it is the mean over draws with dropout on (of classes the most probable one),
    and columns beside it say how sure it is.

    Raises
    ------
    DataFileError
        If the file can't be read.
    ValueError
        If a column is missing, `out` can't be written to, or nothing draws for error bars; if
        these are of classes, but a coverage of intervals is given.
    """
    if error_bars is not None:
        error_bars.check_fits(estimator)
    if probabilities and not hasattr(estimator, "classes_"):
        raise ValueError("--proba is for models of classes, got a model of numbers")
    rows, done = 0, 0
    with (
        PredictionWriter(out) as writer,
        bars.opened(progress, "predicting", 0, PARTS, PATIENCE) as bar,
    ):
        for block in blocks(table, block_rows, estimator.dialect_):
            frame = block.frame
            writer.write(
                _answers(estimator, frame, probabilities)
                if error_bars is None
                else columns(estimator, frame, error_bars, rows, probabilities)
            )
            rows += len(frame)
            bar.advance(int(block.done * PARTS) - done)
            done = int(block.done * PARTS)
    return rows


def _answers(estimator: Any, frame: Frame, probabilities: bool) -> Frame:
    import pandas as pd

    name = getattr(estimator, "target_name_", "prediction")
    if not hasattr(estimator, "classes_"):
        return pd.DataFrame({name: estimator.predict(frame)})
    p = estimator.predict_proba(frame)
    return pd.DataFrame(guesses(name, p, estimator.classes_, probabilities))
