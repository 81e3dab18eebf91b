"""What the data is to blame for, and what the person who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from thinnet.checks import DataFileError, SettingError, UnfitSettingError


@contextmanager
def data_at_fault() -> Iterator[None]:
    """Around work on rows: what is refused there is refused by the data, a setting too."""
    try:
        yield
    except SettingError as error:
        raise UnfitSettingError(error.name, error.allowed, error.got) from error
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise DataFileError(str(error)) from error
