"""Formats in which frames are written one after the other into one open file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

from thinnet.tables.reading.cells import Frame


@runtime_checkable
class Sink(Protocol):
    def write(self, frame: Frame) -> None: ...

    def close(self) -> None:
        """Write the rest; the file below may be closed or not."""


class CsvSink:
    """Cells between commas, in UTF-8, with names above them."""

    def __init__(self, raw: io.BufferedWriter | gzip.GzipFile) -> None:
        self._text = io.TextIOWrapper(raw, "utf-8", newline="")
        self._named = False

    def write(self, frame: Frame) -> None:
        frame.to_csv(self._text, index=False, header=not self._named, lineterminator="\n")
        self._named = True

    def close(self) -> None:
        self._text.close()


def packed_csv_sink(raw: io.BufferedWriter) -> Sink:
    """A `CsvSink` packed by gzip, without name and time, so that equal content is equal bytes."""
    return CsvSink(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))


class ParquetSink:
    """A Parquet file with a row group for each frame; the first frame has the types of all."""

    def __init__(self, raw: io.BufferedWriter) -> None:
        self._raw = raw
        self._writer: Any = None

    def write(self, frame: Frame) -> None:
        import pyarrow as pa

        if self._writer is None:
            self._start(pa.Schema.from_pandas(frame, preserve_index=False))
        schema = self._writer.schema
        try:
            table = pa.Table.from_pandas(frame, schema, preserve_index=False)
        except pa.ArrowException as error:
            raise ValueError(
                f"columns must have types {schema.types} as in the first frame, got {error}"
            ) from None
        self._writer.write_table(table)

    def _start(self, schema: Any) -> None:
        """Begin the file; a column without any value becomes one of text."""
        import pyarrow as pa
        from pyarrow import parquet

        kinds = [pa.string() if pa.types.is_null(field.type) else field.type for field in schema]
        plain = pa.schema(zip(schema.names, kinds, strict=True))
        self._writer = parquet.ParquetWriter(self._raw, plain, write_page_checksum=True)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


SINKS: Final[dict[str, Callable[[io.BufferedWriter], Sink]]] = {
    ".csv": CsvSink,
    ".csv.gz": packed_csv_sink,
    ".parquet": ParquetSink,
    ".pq": ParquetSink,
}
