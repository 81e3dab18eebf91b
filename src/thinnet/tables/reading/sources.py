"""Tables in Parquet files and in data frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from thinnet.checks import DataFileError
from thinnet.tables.reading import arrow
from thinnet.tables.reading.block import Block
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.headers import checked_names

SAVED_INDEX: Final = "__index_level_"  # a column that pandas adds: the labels of rows, no data
HERE: Final = "the table"


class FrameTable:
    """A data frame of pandas; its row labels stay."""

    def __init__(self, source: Frame) -> None:
        self.rows = _some_rows(len(source), HERE)
        self.dialect = Dialect(names=checked_names(source.columns, HERE))
        self.frame = source.set_axis(list(self.dialect.names), axis=1)

    def blocks(self, block_rows: int, keep: Sequence[str] = ()) -> Iterator[Block]:
        for start in range(0, self.rows, block_rows):
            part = self.frame.iloc[start : start + block_rows]
            kept = part[list(keep)] if keep else None
            yield Block(part, (start + len(part)) / self.rows, kept)


class ArrowTable:
    """A data frame of another library that speaks Arrow, such as polars."""

    def __init__(self, source: Any) -> None:
        with arrow.refusing(HERE):
            self._table = arrow.pyarrow(HERE).table(source)
        arrow.check_columns(HERE, self._table.schema)
        self.rows = _some_rows(self._table.num_rows, HERE)
        self.dialect = Dialect(names=checked_names(self._table.column_names, HERE))

    def blocks(self, block_rows: int, keep: Sequence[str] = ()) -> Iterator[Block]:
        for start in range(0, self.rows, block_rows):
            with arrow.refusing(HERE):
                part = self._table.slice(start, block_rows)
                frame = arrow.frame(part, self.dialect.names, start)
                kept = arrow.kept(part, self.dialect.names, keep)
            yield Block(frame, (start + len(frame)) / self.rows, kept)


class ParquetTable:
    """A Parquet file, of which a block at a time is read."""

    def __init__(self, path: Path) -> None:
        self._path, self._where = path, str(path)
        with self._opened() as file:
            schema, n_rows = file.schema_arrow, file.metadata.num_rows
        self._columns = [name for name in schema.names if not name.startswith(SAVED_INDEX)]
        self.dialect = Dialect(names=checked_names(self._columns, self._where))
        arrow.check_columns(self._where, schema)
        self.rows = _some_rows(n_rows, self._where)

    def blocks(self, block_rows: int, keep: Sequence[str] = ()) -> Iterator[Block]:
        pyarrow, done = arrow.pyarrow(self._where), 0
        with self._opened() as file:
            for batch in file.iter_batches(block_rows):
                part = pyarrow.Table.from_batches([batch]).select(self._columns)
                frame = arrow.frame(part, self.dialect.names, done)
                kept = arrow.kept(part, self.dialect.names, keep)
                done += len(frame)
                yield Block(frame, min(done / self.rows, 1.0), kept)
        if done != self.rows:
            raise DataFileError(
                f"{self._where} must hold {self.rows} rows, as its footer says, got {done}; it may "
                "be damaged"
            )

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        parquet = arrow.pyarrow(self._where, ".parquet")
        with arrow.refusing(self._where), self._path.open("rb") as raw:
            yield parquet.ParquetFile(raw, pre_buffer=False, page_checksum_verification=True)


def _some_rows(n_rows: int, where: str) -> int:
    if not n_rows:
        raise DataFileError(f"{where} must hold rows, got none")
    return n_rows
