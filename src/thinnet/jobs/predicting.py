"""Predictions for a table's file, block by block, so that it may be larger than memory."""

from __future__ import annotations

import os
from typing import Any, Final

from thinnet import progress as bars
from thinnet.jobs import places
from thinnet.jobs.blame import data_at_fault
from thinnet.jobs.error_bars import ErrorBars, columns, guesses
from thinnet.jobs.keeping import Keep, beside
from thinnet.progress import PATIENCE
from thinnet.tables.cells import Frame
from thinnet.tables.reading import blocks
from thinnet.tables.writing import PredictionWriter

NOTHING: Final = Keep()
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
    force: bool = True,
    keep: Keep = NOTHING,
) -> int:
    """Write a prediction for each row of `table` to `out`; how many.

    With error bars it is the mean over draws with dropout on (of classes the most probable one),
    and columns beside it say how sure it is.  Columns to keep stand before them as they came, and a
    prediction of the same name as one of them is called "predicted NAME".  What is at `out` is
    replaced; without `force` only an empty file, or a table with the same columns.

    Raises
    ------
    DataFileError
        If the file can't be read, or a column to keep is not there.
    ValueError
        If a column is missing, `out` can't be written to, is `table`, or holds something else, or
        if nothing draws for error bars; if these are of classes, but a coverage of intervals is
        given.
    """
    if error_bars is not None:
        error_bars.check_fits(estimator)
    if probabilities and not hasattr(estimator, "classes_"):
        raise ValueError("--proba is for models of classes, got a model of numbers")
    places.check_apart("--out", out, {"TABLE": table})
    if not force:
        places.check_kind("--out", out, places.predictions_with(_target(estimator)))

    def told(frame: Frame, start: int) -> Frame:
        if error_bars is None:
            return _answers(estimator, frame, probabilities)
        return columns(estimator, frame, error_bars, start, probabilities)

    rows, done = 0, 0
    with (
        PredictionWriter(out) as writer,
        bars.opened(progress, "predicting", 0, PARTS, PATIENCE) as bar,
    ):
        for block in blocks(table, block_rows, estimator.dialect_, keep=keep.columns):
            frame = block.frame
            with data_at_fault():
                answers = beside(block.kept, told(frame, rows))
            if not (rows or force):
                kind = places.predictions_of(list(answers.columns))
                places.check_kind("--out", out, kind)
            writer.write(answers)
            rows += len(frame)
            bar.advance(int(block.done * PARTS) - done)
            done = int(block.done * PARTS)
    return rows


def _target(estimator: Any) -> str:
    return getattr(estimator, "target_name_", "prediction")


def _answers(estimator: Any, frame: Frame, probabilities: bool) -> Frame:
    import pandas as pd

    name = _target(estimator)
    if not hasattr(estimator, "classes_"):
        return pd.DataFrame({name: estimator.predict(frame)})
    p = estimator.predict_proba(frame)
    return pd.DataFrame(guesses(name, p, estimator.classes_, probabilities))
