"""The kinds of columns, found once in the table that is fitted, and kept for all later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import must, quoted
from thinnet.tables.columns import amounts, dates
from thinnet.tables.columns.dates import as_dates, days_of
from thinnet.tables.columns.missing import cleaned, numbers_of
from thinnet.tables.columns.naming import there
from thinnet.tables.reading.cells import DASH, Cells, Frame
from thinnet.tables.reading.labels import CODE, as_labels, label

__all__ = ["Column", "WantedKind", "as_dates", "as_labels", "as_numbers", "label"]

Kind: TypeAlias = Literal["number", "category", "date", "text", "left out"]
WantedKind: TypeAlias = Literal["number", "category", "date", "text", "drop"]
MOSTLY: Final = 0.9  # a column with this fraction of numbers or dates is one of them
NEARLY_ALL: Final = 0.95  # with this fraction of distinct cells they only name their row
ENOUGH: Final = 20  # rows; fewer show nothing
WORDS: Final = 3.0  # a cell on average: from here on a column is text
SOME: Final = 0.01  # with this fraction of digits after a zero cells are codes
SOME_CELLS: Final = 1000  # a sample of a column, to see whether it may hold amounts
HUGE: Final = 1e300  # larger numbers count as infinite: their differences overflow
MISSING_LABEL: Final = "(missing)"
CODES: Final = "codes"  # labels as `thinnet.tables.reading.labels` has them


class Column(NamedTuple):
    """A column of the table that was fitted.

    `low` and `high` are the range of its numbers, to which infinite ones are clipped, or of its
    dates in days since 1970; `form` is the form of its dates or labels, or the decimal mark of
    amounts such as "$1,023.45"; `why` is a note for people, if there is one; `never` are days
    that stand for "never".
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    form: str = ""
    why: str = ""
    never: tuple[float, ...] = ()


def checked_kinds(kinds: Any) -> Mapping[str, WantedKind]:
    """`kinds` checked: the wanted kind of each column.

    Raises
    ------
    ValueError
        If one is not known.
    """
    kinds = {} if kinds is None else kinds
    must(isinstance(kinds, Mapping), "kinds", "a dict of kinds by column", kinds)
    for name, kind in kinds.items():
        allowed = ", ".join(get_args(WantedKind))
        must(
            kind in get_args(WantedKind),
            f"the kind of column {quoted(name)}",
            f"one of {allowed}",
            kind,
        )
    return {str(name): kind for name, kind in kinds.items()}


def columns_of(frame: Frame, kinds: Any, missing: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of a table with their kinds.

    Raises
    ------
    ValueError
        If `kinds` names no column, or one of its columns is not of that kind.
    """
    wanted_kind = checked_kinds(kinds)
    for name in wanted_kind:
        wanted = f"for columns to learn from, of {there(frame.columns)}"
        must(name in frame.columns, "kinds", wanted, name)
    return tuple(
        column_of(name, cleaned(frame[name], missing), wanted_kind.get(name), missing)
        for name in frame.columns
    )


def column_of(
    name: str, cells: Cells, wanted_kind: WantedKind | None = None, missing: tuple[str, ...] = ()
) -> Column:
    """The kind of a column of clean cells: the wanted one, or what its cells are."""
    from pandas.api import types

    if wanted_kind == "drop":
        return Column(name, "left out", why="as asked")
    present = cells.dropna()
    if present.empty:
        return Column(name, "left out", why="all its cells are missing")
    if present.nunique() == 1 and len(present) == len(cells):
        return Column(name, "left out", why="all its cells are the same")
    if wanted_kind is not None:
        return _as_wanted(name, present, wanted_kind, missing)
    if types.is_bool_dtype(present) or isinstance(cells.dtype, _categorical()):
        return Column(name, "category", form=CODES)
    if dates.is_dates(present):
        return _dated(name, present, dates.ISO)
    if types.is_numeric_dtype(present):
        return _numeric(name, present, as_numbers(present, missing), "")
    return _of_words(name, present, missing)


def _categorical() -> Any:
    import pandas as pd

    return pd.CategoricalDtype


def _as_wanted(
    name: str, present: Cells, wanted_kind: WantedKind, missing: tuple[str, ...]
) -> Column:
    """The column as the wanted kind; ValueError where no cell is of it."""
    if wanted_kind == "number":
        form, numbers = _read(present, missing, 0)
        _check_some(name, present, "numbers", bool(np.isfinite(numbers).any()))
        return _ranged(name, present, numbers, form)
    if wanted_kind == "date":
        form = dates.form_of_most(present)
        found = as_dates(present, form).notna()
        _check_some(name, present, "dates", bool(found.any()))
        return _dated(name, present, form)
    return Column(name, wanted_kind, form=CODES if wanted_kind == "category" else "")  # type: ignore[arg-type]


def _check_some(name: str, present: Cells, what: str, ok: bool) -> None:
    must(ok, f"column {quoted(name)}", f"of {what}, as asked for", present.iloc[0])


def _missing_text(cells: Cells) -> str:
    """A note on cells that are taken as missing; empty where there are none."""
    cells = cells[cells.astype(str) != DASH]
    return f"cells such as {str(cells.iloc[0])!r} are taken as missing" if len(cells) else ""


def _ranged(name: str, present: Cells, numbers: Cells, form: str) -> Column:
    finite = np.isfinite(numbers)
    low, high = _range(numbers[finite].to_numpy())
    holes, far = numbers.isna().to_numpy(), np.isinf(numbers).to_numpy()
    notes = (
        _amounts_text(present[finite], numbers[finite], form),
        _missing_text(present[holes]),
        "infinite numbers are taken for the ends of the others' range" if far.any() else "",
    )
    return Column(name, "number", low, high, form, "; ".join(filter(None, notes)))


def _amounts_text(cells: Cells, numbers: Cells, form: str) -> str:
    if not form:
        return ""
    written = cells.map(lambda cell: isinstance(cell, str) and not amounts.is_plain(cell))
    written = written.to_numpy(bool)
    return amounts.amounts_text(cells[written].array, numbers[written].array)


def _range(values: Array) -> tuple[float, float]:
    return max(float(values.min()), -HUGE), min(float(values.max()), HUGE)


def _numeric(name: str, present: Cells, numbers: Cells, form: str) -> Column:
    values = numbers.dropna().to_numpy()
    if not np.isfinite(values).any():
        return Column(name, "left out", why="none of its numbers is finite")
    if _counts_rows(values):
        return Column(name, "left out", why="it numbers the rows")
    return _ranged(name, present, numbers, form)


def _counts_rows(values: Array) -> bool:
    if len(values) < ENOUGH or not (np.abs(values) < HUGE).all():
        return False
    steps = np.diff(values)
    return bool((steps == 1).all() or (steps == -1).all())


def _of_words(name: str, present: Cells, missing: tuple[str, ...]) -> Column:
    text = present.astype(str)
    present_words = present[(text != DASH).to_numpy()]  # a dash is a hole among numbers and dates
    most = MOSTLY * max(len(present_words), 1)
    mark, numbers = _read(present_words, missing, MOSTLY)
    if numbers.notna().sum() >= most:
        if are_codes(present):
            return _of_codes(name, present)
        return _numeric(name, present_words, numbers, mark)
    form = dates.form_of(text, most)
    return _of_texts(name, text) if form is None else _dated(name, present, form)


def _read(cells: Cells, missing: tuple[str, ...], least: float) -> tuple[str, Cells]:
    """The numbers of cells, and the decimal mark with which more of them are numbers, if any."""
    plain = as_numbers(cells, missing)
    some = cells.iloc[:: max(len(cells) // SOME_CELLS, 1)]
    if plain.notna().all() or (least and amounts.decimal_of(some, least / 2) is None):
        return "", plain
    mark = amounts.decimal_of(cells, least)
    if mark is None:
        return "", plain
    found = as_numbers(cells, missing, mark)
    return (mark, found) if found.notna().sum() > plain.notna().sum() else ("", plain)


def are_codes(present: Cells) -> bool:
    """Whether cells are digits after a zero: more than a few, or all of one length."""
    text = present[present.map(lambda value: isinstance(value, str))].astype(str)
    codes = text.str.fullmatch(CODE.pattern)
    if not codes.any():
        return False
    return bool(codes.mean() >= SOME or text[text != DASH].str.len().nunique() == 1)


def code_in(present: Cells) -> str:
    """The first cell of digits after a zero."""
    return next(text for text in present.astype(str) if CODE.fullmatch(text))


def _of_codes(name: str, present: Cells) -> Column:
    column = _of_texts(name, present.astype(str))
    why = f"cells such as {code_in(present)!r} are names, not numbers"
    return column if column.kind == "left out" else Column(name, "category", form=CODES, why=why)


def _of_texts(name: str, text: Cells) -> Column:
    distinct = text.nunique() / len(text)
    if len(text) >= ENOUGH and distinct > 0.5 and text.str.split().str.len().mean() >= WORDS:
        return Column(name, "text")
    if len(text) >= ENOUGH and distinct >= NEARLY_ALL:
        return Column(name, "left out", why="nearly every row has a value of its own")
    return Column(name, "category", form=CODES)


def _dated(name: str, present: Cells, form: str) -> Column:
    days = days_of(as_dates(present, form))
    never = dates.never_of(days)
    kept = days[np.isfinite(days) & ~np.isin(days, never)]
    notes = [
        f"{dates.day_text(day)} stands in {n} rows far from all others: it is taken as 'never'"
        for day, n in ((day, int((days == day).sum())) for day in never)
    ]
    others = (dates.order_text(present, form), _missing_text(present[np.isnan(days)]))
    why = "; ".join([*notes, *filter(None, others)])
    return Column(name, "date", float(kept.min()), float(kept.max()), form, why, never)


def in_part(column: Column, cells: Cells, missing: tuple[str, ...]) -> Column:
    """A column of a table, with the range that it has in some of its rows."""
    if column.kind not in ("number", "date"):
        return column
    if column.kind == "number":
        values = as_numbers(cells, missing, column.form).to_numpy()
    else:
        values = days_of(as_dates(cells, column.form))
        values = values[~np.isin(values, column.never)]
    values = values[np.isfinite(values)]
    if not len(values):
        return column
    low, high = _range(values)
    return column._replace(low=low, high=high)


def as_numbers(cells: Cells, missing: tuple[str, ...] | None = (), form: str = "") -> Cells:
    """Numbers as float64, NaN for all else; amounts too where `form` is their decimal mark."""
    import pandas as pd

    if form and not pd.api.types.is_numeric_dtype(cells):
        cells = amounts.with_numbers(cells, form)
    found = amounts.numeric(cells)
    if np.iscomplexobj(found):
        raise ValueError(f"column {quoted(cells.name)} must hold real numbers, got complex ones")
    numbers = pd.Series(
        np.asarray(found.astype("Float64").to_numpy(np.float64, np.nan)), cells.index
    )
    absent = numbers_of(missing or ())
    return numbers.mask(numbers.isin(absent)) if absent else numbers
