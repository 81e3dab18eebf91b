"""Predictions, written block by block into a file that is complete or not there."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from thinnet.atomic import check_place, replacing
from thinnet.checks import must
from thinnet.tables.reading.arrow import pyarrow
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.sinks import SINKS, ParquetSink, Sink


class PredictionWriter:
    """A context that appends frames to a file, which takes its place when all are written.

    Until then the frames lie in a hidden file beside it.  If an exception leaves the context, or
    the last write fails, that file is removed and what stood at `out` before still stands there.

    Parameters
    ----------
    out : path
        Ends in .csv, .csv.gz, .parquet or .pq.

    Raises
    ------
    ValueError
        If `out` ends otherwise, is a folder, or is in a folder that can't be written to; or if
        pyarrow is missing for a Parquet file.

    Examples
    --------
    >>> import pandas as pd, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = pathlib.Path(folder) / "predictions.csv"
    ...     with PredictionWriter(out) as writer:
    ...         writer.write(pd.DataFrame({"height": [1.5]}))
    ...         writer.write(pd.DataFrame({"height": [2.0]}))
    ...     print(out.read_text())
    height
    1.5
    2.0
    <BLANKLINE>
    """

    def __init__(self, out: str | os.PathLike[str]) -> None:
        self._suffix = _checked_suffix(out)
        self._out = Path(out)
        self._names: list[str] | None = None
        self._sink: Sink
        self._open: ExitStack

    def __enter__(self) -> PredictionWriter:
        with ExitStack() as stack:
            self._sink = SINKS[self._suffix](stack.enter_context(replacing(self._out)))
            stack.push(self._end)
            self._open = stack.pop_all()
        return self

    def write(self, frame: Frame) -> None:
        """Append rows, under the names of the first frame.

        Raises
        ------
        ValueError
            If the names are others, or their types don't fit in a Parquet file.
        OSError
            If the disk is full.
        """
        names = list(frame.columns)
        self._names = self._names or names
        must(names == self._names, "columns", f"{self._names} as in the first frame", names)
        self._sink.write(frame)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def _end(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            must(self._names is not None, "predictions", "written at least once", "none")
            self._sink.close()
            return
        with suppress(Exception):  # a full disk fails again; the first exception is raised
            self._sink.close()


def _checked_suffix(out: str | os.PathLike[str]) -> str:
    """The suffix of `out`; ValueError where no file can be written there."""
    must(isinstance(out, str | os.PathLike), "out", "a path", out)
    where, path = Path(out), os.fspath(out)
    suffix = next((s for s in SINKS if where.name.lower().endswith(s)), "")
    must(suffix in SINKS, "out", f"a file that ends in {', '.join(SINKS)}", path)
    check_place("out", out)
    if SINKS[suffix] is ParquetSink:
        pyarrow(path)
    return suffix
