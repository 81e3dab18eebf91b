"""Which cells are missing, whatever library a table comes from; `reading.cells` has the words."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import numpy as np

from thinnet.checks import must, quoted
from thinnet.tables.reading.cells import MISSING, NUMBER, Cells

NESTED: Final = (list, tuple, dict, set, np.ndarray)


def words(more: Any) -> tuple[str, ...]:
    """The words that mean a missing cell: those of docs/tables.md, and `more`.

    Raises
    ------
    ValueError
        If `more` is no sequence of texts.
    """
    fits = isinstance(more, list | tuple) and all(isinstance(word, str) for word in more)
    must(fits, "missing", "a sequence of texts", more)
    return tuple(sorted(MISSING.union(word.strip() for word in more)))


def numbers_of(missing: Iterable[str]) -> list[float]:
    """The words that are numbers, as such: -9 means the same as "-9"."""
    return [value for value in map(float, filter(NUMBER.fullmatch, missing)) if np.isfinite(value)]


def cleaned(cells: Cells, missing: tuple[str, ...] | None) -> Cells:
    """Texts without blanks around them, missing where the word says so; all else as it is.

    Parameters
    ----------
    cells : pandas.Series
    missing : tuple of str or None
        None, of models that were saved before there was one list, leaves the cells as they are.

    Raises
    ------
    ValueError
        If a cell holds a list, or something else that is no single value, or half of a surrogate
        pair.
    """
    import pandas as pd
    from pandas.api import types

    if missing is None:
        return cells
    if cells.dtype == np.longdouble and cells.dtype != np.float64:
        with np.errstate(over="ignore"):  # what is beyond float64 is infinite
            cells = cells.astype(np.float64)
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return _cleaned_categories(cells, missing)
    if isinstance(cells.dtype, pd.StringDtype):
        cells = cells.str.strip()
        return cells.mask(cells.isin(missing))
    if types.is_object_dtype(cells) or types.is_string_dtype(cells):
        return _cleaned_objects(cells.astype(object), missing)
    numbers = numbers_of(missing)
    if numbers and types.is_numeric_dtype(cells) and not types.is_bool_dtype(cells):
        return cells.mask(cells.isin(numbers))
    return cells


def _cleaned_categories(cells: Cells, missing: tuple[str, ...]) -> Cells:
    import pandas as pd

    values = pd.Series(cells.cat.categories)
    plain = cleaned(values.astype(object) if values.dtype == object else values, missing)
    table = np.array([*plain.astype(object).where(plain.notna(), None), None], object)
    return pd.Series(table[cells.cat.codes.to_numpy()], cells.index, name=cells.name).astype(
        pd.CategoricalDtype()
    )


def _cleaned_objects(cells: Cells, missing: tuple[str, ...]) -> Cells:
    values, numbers = cells.to_numpy(), numbers_of(missing)
    absent = set(missing)
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        if isinstance(value, str):
            if not has_utf8(value):
                raise ValueError(
                    f"column {quoted(cells.name)} must hold text that UTF-8 has a form for, got "
                    f"{quoted(value)} in row {i}"
                )
            value = value.strip()
            value = None if value in absent else value
        elif isinstance(value, NESTED):
            raise ValueError(
                f"column {quoted(cells.name)} must hold single values, got the "
                f"{type(value).__name__} {str(value)[:50]} in row {i}; drop it or spread it over "
                "columns"
            )
        elif _is_loud(value) or (
            numbers and not isinstance(value, bool | np.bool_) and value in numbers
        ):
            value = None
        found[i] = value
    return type(cells)(found, cells.index, dtype=object, name=cells.name)


def _is_loud(value: Any) -> bool:
    """Whether it is a NaN that can't be compared."""
    return isinstance(value, Decimal) and value.is_snan()


def has_utf8(text: str) -> bool:
    """Whether UTF-8 has a form for a text, as libraries of tables need: not for half a pair."""
    if text.isascii():
        return True
    with suppress(UnicodeEncodeError):
        text.encode()
        return True
    return False
