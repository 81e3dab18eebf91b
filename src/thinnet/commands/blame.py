"""Errors that are the data's fault, apart from those of whoever chose the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from thinnet.checks import DataFileError, SettingError, UnfitSettingError


@contextmanager
def data_at_fault() -> Iterator[None]:
    """A context for work on rows, in which an error, of a setting too, is the data's fault."""
    try:
        yield
    except SettingError as error:
        raise UnfitSettingError(error.name, error.allowed, error.got) from error
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise DataFileError(str(error)) from error
