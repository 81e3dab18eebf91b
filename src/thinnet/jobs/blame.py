"""What the data is to blame for, and what the person who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from thinnet.checks import DataFileError


@contextmanager
def data_at_fault() -> Iterator[None]:
    """Around work on rows: a ValueError that is about no setting becomes a DataFileError."""
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise DataFileError(str(error)) from error
