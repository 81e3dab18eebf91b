"""Tables from files and data frames, whole or in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from thinnet import checks
from thinnet.checks import DataFileError
from thinnet.tables.reading import packing
from thinnet.tables.reading.block import Block, Table
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.frames import collected
from thinnet.tables.reading.sources import ArrowTable, FrameTable, ParquetTable
from thinnet.tables.reading.spooling import on_disk
from thinnet.tables.reading.texts import TextTable
from thinnet.tables.reading.typed import typed as with_types

BLOCK_CELLS: Final = 2**20  # the default size of a block


class Glimpse(NamedTuple):
    """The first rows of a table, and how many it has about."""

    frame: Frame
    rows: int

    @property
    def table_bytes(self) -> float:
        """The memory that the whole table takes as a frame, in bytes."""
        each = self.frame.memory_usage(index=False, deep=True).sum() / len(self.frame)
        return float(each * self.rows)


def read_table(
    source: Any, dialect: Dialect | None = None, *, header: bool | None = None, typed: bool = True
) -> tuple[Frame, Dialect]:
    r"""A table as a whole, and how it is written.

    A file is known by its content, not its name: Parquet, or text that is plain or packed by gzip,
    bz2, xz or zip.  Text has cells between commas, semicolons, tabs or bars, in UTF-8 (or UTF-16
    or UTF-32 with a mark); what no UTF-8 is, is read as Windows-1252.  Blanks around cells are
    left out.  Missing are empty cells, ?, NA, N/A, n/a, #N/A, <NA>, NaN, nan, null, NULL and None.

    Parameters
    ----------
    source : path or data frame
        A path may be that of a pipe, or "-" for standard input.  A data frame is one of pandas or
        of a library that speaks Arrow, such as polars.
    dialect : Dialect, optional
        Of the file that a model was fitted to; settles what this file leaves open.
    header : bool, optional
        Whether the first row of a file of text holds names.  Found out by default: see
        `thinnet.tables.reading.headers.has_header`.
    typed : bool, default=True
        Give types to the columns of text files (see `reading.typed.typed`).  Otherwise all
        their cells are text, as in `blocks`.

    Returns
    -------
    frame : pandas.DataFrame
        With names that are texts without blanks around them.
    dialect : Dialect

    Raises
    ------
    DataFileError
        If the file is missing, damaged or no table, or a name stands twice.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "people.csv"
    ...     _ = path.write_text("name;height\nAnn;1,5\nBob;?\n")
    ...     frame, dialect = read_table(path)
    >>> frame["height"].tolist()
    [1.5, nan]
    >>> dialect.delimiter, dialect.decimal, dialect.header
    (';', ',', True)
    """
    table = _table(source, dialect, header)
    if isinstance(table, FrameTable):
        return table.frame, table.dialect
    frame = _joined(table)
    return with_types(frame) if typed and isinstance(table, TextTable) else frame, table.dialect


def blocks(
    source: Any,
    block_rows: int | None = None,
    dialect: Dialect | None = None,
    *,
    header: bool | None = None,
    keep: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> Iterator[Block]:
    """A table as frames of at most `block_rows` rows, so that it may be larger than memory.

    The columns of all blocks have the same types, whatever the block size: those of text files
    hold text, or NaN where a cell is missing.

    Parameters
    ----------
    source, dialect, header
        As for `read_table`.
    block_rows : int, optional
        By default so many that a block has about a million cells.
    keep : callable, optional
        Gets the names of all columns and returns those that blocks have besides as they came: text
        with its leading zeros and whatever stands for a missing cell, Parquet with Arrow's types.

    Yields
    ------
    Block
        A frame whose rows are numbered on from the block before (a pandas frame keeps its own
        labels), and the fraction of the table that has been read.

    Raises
    ------
    DataFileError
        As `read_table`; at once, or at the block where the file turns out to be damaged.  That a
        line has too few cells may be noticed only after the last block.
    """
    table = _table(source, dialect, header)
    if block_rows is not None:
        checks.integer("block_rows", block_rows, 1)
    kept = () if keep is None else keep(table.dialect.names)
    return table.blocks(block_rows or _rows_in_block(table), kept)


def read_dialect(source: Any) -> Dialect:
    """How a table is written.

    Raises
    ------
    DataFileError
        As `read_table`.
    """
    return _table(source, None, None).dialect


def glimpse(source: Any, dialect: Dialect | None = None, header: bool | None = None) -> Glimpse:
    """Some rows of a table, and about how many there are, before all of it is read."""
    table = _table(source, dialect, header)
    reading = table.blocks(_rows_in_block(table))
    block = next(reading)
    reading.close()  # type: ignore[attr-defined]
    rows = table.rows or int(len(block.frame) / max(block.done, 1e-9))
    return Glimpse(block.frame, rows)


def row_count(source: Any) -> int | None:
    """How many rows a table has; None for a file of text, where one would have to read it.

    Parameters
    ----------
    source : path or data frame

    Raises
    ------
    DataFileError
        As `read_table`.
    """
    return _table(source, None, None).rows


def _table(source: Any, dialect: Dialect | None, header: bool | None) -> Table:
    import pandas as pd

    if isinstance(source, str | os.PathLike):
        return _file(on_disk(source), dialect, header)
    source = collected(source)
    if isinstance(source, pd.DataFrame):
        return FrameTable(source)
    known = hasattr(source, "__arrow_c_stream__")
    checks.must(known, "source", "a path or a data frame", type(source))
    return ArrowTable(source)


def _file(path: Path, dialect: Dialect | None, header: bool | None) -> Table:
    if packing.PARQUET.match(packing.magic(path)):
        return ParquetTable(path)
    if path.suffix in (".parquet", ".pq"):
        raise DataFileError(f"{path} must begin with PAR1 as a Parquet file does, got another")
    return TextTable(path, dialect, header)


def _rows_in_block(table: Table) -> int:
    return max(BLOCK_CELLS // len(table.dialect.names), 1)


def _joined(table: Table) -> Frame:
    import pandas as pd

    frames = [block.frame for block in table.blocks(_rows_in_block(table))]
    return pd.concat(frames) if len(frames) > 1 else frames[0]
