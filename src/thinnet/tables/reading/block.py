"""What every source of a table offers: its dialect, and its rows in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.dialect import Dialect


class Block(NamedTuple):
    """Some rows of a table, and how much of it has been read with them.

    Attributes
    ----------
    frame : pandas.DataFrame
    done : float
        The fraction of the table, from 0 to 1: of its rows where they are counted, else of its
        bytes.
    kept : pandas.DataFrame or None
        The columns to keep, as they came, if there are any.
    """

    frame: Frame
    done: float
    kept: Frame | None = None


@runtime_checkable
class Table(Protocol):
    """A source of rows, whose `rows` is None where counting them would mean reading them."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def rows(self) -> int | None: ...

    def blocks(self, block_rows: int, keep: Sequence[str] = ()) -> Iterator[Block]: ...
