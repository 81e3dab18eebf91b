"""What a column holds, found out once, and its cells brought to that kind ever after."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from thinnet.tables.cells import Column as Cells
from thinnet.tables.cells import Frame

Kind: TypeAlias = Literal["number", "category", "date", "text", "left out"]
MOSTLY: Final = 0.9  # of the cells are numbers or dates: the others are taken as missing
NEARLY_ALL: Final = 0.95  # of the cells differ: they name their row and say nothing of others
ENOUGH: Final = 20  # rows, from which on that can be told
WORDS: Final = 3.0  # in a cell on average, from which on it is text to read
MISSING: Final = "(missing)"
DATES: Final = ("ISO8601", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y")


class Column(NamedTuple):
    """A column of the table that was fitted.

    `low` and `high` are the range of its numbers, in which infinite ones are brought later;
    `form` is that of its dates; `why` says what people should know of it, if anything.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    form: str = ""
    why: str = ""


def column_of(name: str, cells: Cells) -> Column:
    """What a column holds."""
    from pandas.api import types

    present = cells.dropna()
    if present.empty:
        return Column(name, "left out", why="all its cells are missing")
    if present.nunique() == 1 and len(present) == len(cells):
        return Column(name, "left out", why="all its cells are the same")
    if types.is_bool_dtype(present) or isinstance(cells.dtype, _categorical()):
        return Column(name, "category")
    if types.is_datetime64_any_dtype(present):
        return Column(name, "date", form=DATES[0])
    if types.is_numeric_dtype(present):
        return _numeric(name, present, "")
    return _of_words(name, present)


def _categorical() -> Any:
    import pandas as pd

    return pd.CategoricalDtype


def _numeric(name: str, present: Cells, why: str) -> Column:
    values = np.asarray(present, np.float64)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Column(name, "left out", why="none of its numbers is finite")
    if len(finite) == len(values) and _counts_rows(values):
        return Column(name, "left out", why="it numbers the rows")
    return Column(name, "number", float(finite.min()), float(finite.max()), why=why)


def _counts_rows(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return len(values) >= ENOUGH and bool((steps == 1).all() or (steps == -1).all())


def _of_words(name: str, present: Cells) -> Column:
    numbers = as_numbers(present)
    share = numbers.notna().mean()
    if share >= MOSTLY:
        others = present[numbers.isna()]
        why = f"cells such as {str(others.iloc[0])!r} are taken as missing" if len(others) else ""
        return _numeric(name, numbers.dropna(), why)
    text = present.astype(str)
    for form in DATES:
        if as_dates(text, form).notna().mean() >= MOSTLY:
            return Column(name, "date", form=form)
    return _of_texts(name, text)


def _of_texts(name: str, text: Cells) -> Column:
    distinct = text.nunique() / len(text)
    if len(text) >= ENOUGH and distinct > 0.5 and text.str.split().str.len().mean() >= WORDS:
        return Column(name, "text")
    if len(text) >= ENOUGH and distinct >= NEARLY_ALL:
        return Column(name, "left out", why="nearly every row has a value of its own")
    return Column(name, "category")


def as_numbers(cells: Cells) -> Cells:
    """Numbers as float64, NaN for all else."""
    import pandas as pd

    found = pd.to_numeric(cells, errors="coerce")
    if np.iscomplexobj(found):
        raise ValueError(f"column {cells.name!r} must hold real numbers, got complex ones")
    return pd.Series(np.asarray(found.astype("Float64").to_numpy(np.float64, np.nan)), cells.index)


def as_dates(cells: Cells, form: str) -> Cells:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
    found = pd.to_datetime(cells.astype("string"), format=form, errors="coerce", utc=True)
    return found.dt.tz_localize(None)


def as_labels(cells: Cells) -> Cells:
    """Texts, the same for 3, 3.0 and "3", and for True and "true"; None for missing cells."""
    import pandas as pd

    codes, distinct = pd.factorize(cells)
    names = np.array([*(label(value) for value in distinct), None], object)
    return pd.Series(names[codes], cells.index, dtype=object)


def label(value: Any) -> str:
    """A value as the text that a file would have for it."""
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    if not np.isfinite(number):
        return text
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)


def prepared(frame: Frame, columns: tuple[Column, ...]) -> Frame:
    """The columns of a table as numbers and texts, whatever types they come in.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    import pandas as pd

    found: dict[str, Any] = {}
    for column in columns:
        if column.kind == "left out":
            continue
        if column.name not in frame.columns:
            raise ValueError(
                f"column {column.name!r} must be in the table, as in the one that was fitted; got "
                f"columns {', '.join(map(repr, list(frame.columns)[:20]))}"
            )
        found |= _cells(frame[column.name], column)
    return pd.DataFrame(found, index=frame.index)


def _cells(cells: Cells, column: Column) -> dict[str, Any]:
    if column.kind == "number":
        numbers = as_numbers(cells)
        return {column.name: numbers.clip(column.low, column.high) if np.isinf(numbers).any()
                else numbers}  # fmt: skip
    if column.kind == "date":
        return _date_parts(column.name, as_dates(cells, column.form))
    if column.kind == "text":
        return {column.name: as_labels(cells).fillna("")}
    return {column.name: as_labels(cells).fillna(MISSING)}


def _date_parts(name: str, dates: Cells) -> dict[str, Any]:
    """Days since 1970, and the year, the week and the day as circles."""
    import pandas as pd

    days = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
    parts: dict[str, Any] = {f"{name}: day": days}
    circles = {
        "year": dates.dt.day_of_year / 365.25,
        "week": dates.dt.day_of_week / 7,
        "hour": (dates.dt.hour + dates.dt.minute / 60) / 24,
    }
    for what, turn in circles.items():
        parts[f"{name}: {what}, sine"] = np.sin(2 * np.pi * turn)
        parts[f"{name}: {what}, cosine"] = np.cos(2 * np.pi * turn)
    return parts
