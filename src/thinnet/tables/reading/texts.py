"""Tables in files of text: read in blocks by pandas, with every cell as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from thinnet.checks import DataFileError
from thinnet.tables.reading import packing
from thinnet.tables.reading.block import Block
from thinnet.tables.reading.cells import Frame, text_type, tidied
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.faults import check_lines
from thinnet.tables.reading.sniffing import dialect_of
from thinnet.tables.reading.watched import Watched


class TextTable:
    """A file of text, packed or not, whose dialect has been found."""

    rows: int | None = None

    def __init__(self, path: Path, like: Dialect | None, header: bool | None) -> None:
        self.path, self.dialect = path, dialect_of(path, like, header)

    def blocks(self, block_rows: int, keep: Sequence[str] = ()) -> Iterator[Block]:
        """Frames of text; a line with too few cells may be noticed only after the last of them."""
        size, dialect = self.path.stat().st_size, self.dialect
        n_rows = 0
        with (
            packing.refusing(self.path),
            packing.unpacked(self.path) as opened,
            packing.as_text(opened.content, dialect.encoding) as text,
        ):
            check = partial(check_lines, self.path, dialect)
            lines = Watched(self.path, text, dialect, check)
            for raw in self._frames(lines, block_rows):
                n_rows += len(raw)
                frame = raw.apply(tidied, decimal=self.dialect.decimal)
                kept = raw[list(keep)] if keep else None
                yield Block(frame, min(opened.raw.tell() / size, 1.0), kept)
        if lines.n_delimiters != (n_rows + dialect.header) * (len(dialect.names) - 1):
            check()

    def _frames(self, lines: Watched, block_rows: int) -> Iterator[Frame]:
        from pandas.errors import ParserError

        try:
            with self._parser(lines, block_rows) as parser:
                yield from parser
        except ParserError as error:
            reason = packing.first_line(error)
            if "out of memory" in reason:
                raise MemoryError(f"{self.path}: {reason}") from None
            check_lines(self.path, self.dialect)
            raise DataFileError(f"{self.path} must be a table of text, got {reason}") from None

    def _parser(self, lines: Watched, block_rows: int) -> Any:
        import pandas as pd

        return pd.read_csv(
            lines,
            chunksize=block_rows,
            sep=self.dialect.delimiter,
            header=0 if self.dialect.header else None,
            names=list(self.dialect.names),
            index_col=False,
            dtype=text_type(),
            keep_default_na=False,
            na_values=[],  # `tidied` knows which are missing
            skipinitialspace=True,
            low_memory=False,
        )
