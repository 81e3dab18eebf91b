"""Dates of all years: texts and calendars of all libraries as days since 1970."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.tables.reading.cells import Cells

DATES: Final = ("ISO8601", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y")
ISO: Final = DATES[0]
TWINS: Final = {  # forms in which day and month have changed places
    **{"%m/%d/%Y": "%d/%m/%Y", "%d/%m/%Y": "%m/%d/%Y"},
    **{"%d-%m-%Y": "%m-%d-%Y", "%m-%d-%Y": "%d-%m-%Y"},
}
ORDERS: Final = {"%m": "month first", "%d": "day first"}
ISO_OF_ANY_YEAR: Final = re.compile(
    r"[+-]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?"
)
DAY_OF_ANY_YEAR: Final = re.compile("[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")
A_YEAR: Final = re.compile("[0-9]{4}")  # in dates of all forms
UNITS_IN_DAY: Final = {"D": 1, "s": 86_400, "ms": 86_400e3, "us": 86_400e6, "ns": 86_400e9}
DECADE: Final = 3652.0  # the least distance of "never" from all other days
TWICE: Final = 2  # how often "never" occurs at least, unless it lies before or after these dates:
NEVER: Final = ("0002-01-01", "9999-01-01")  # no table has dates beyond


def is_dates(cells: Cells) -> bool:
    """Whether a column has a type of dates or periods."""
    import pandas as pd

    is_date = pd.api.types.is_datetime64_any_dtype(cells) or _is_arrow_date(cells.dtype)
    return bool(is_date or isinstance(cells.dtype, pd.PeriodDtype))


def _is_arrow_date(dtype: Any) -> bool:
    return str(dtype).startswith("date") and str(dtype).endswith("[pyarrow]")


def as_dates(cells: Cells, form: str) -> Cells:
    """Cells as datetime64 without a time zone, NaT for what is no date; periods as their start."""
    import pandas as pd

    if isinstance(cells.dtype, pd.PeriodDtype):
        seconds = cells.array.asfreq("s", how="start").asi8
        return pd.Series(seconds.view("datetime64[s]"), cells.index, name=cells.name)
    if _is_arrow_date(cells.dtype):
        return cells.astype("datetime64[s]")
    if pd.api.types.is_datetime64_any_dtype(cells):
        plain = cells.dt.tz_localize(None) if _zone(cells) is not None else cells
        return (
            plain.astype(plain.dtype.name) if isinstance(plain.dtype, np.dtype) else _plain(plain)
        )
    return _of_texts(cells.astype("string"), form)


def form_of(texts: Cells, least: float) -> str | None:
    """The form in which `least` of some texts at least are dates; None where they are not.

    Of a form and its twin the one in which more are, of equals the first.
    """
    if texts.str.contains(A_YEAR.pattern, na=False).sum() < least:
        return None
    for form in DATES:
        if (n := _count(texts, form)) >= least:
            twin = TWINS.get(form)
            return twin if twin and _count(texts, twin) > n else form
    return None


def form_of_most(cells: Cells) -> str:
    """The form in which most of some cells are dates."""
    return ISO if is_dates(cells) else max(DATES, key=lambda form: _count(cells, form))


def _count(cells: Cells, form: str) -> int:
    return int(as_dates(cells, form).notna().sum())


def order_text(cells: Cells, form: str) -> str:
    """Words for whether day or month comes first, where no cell shows it."""
    if form not in TWINS or is_dates(cells):
        return ""
    here, there = as_dates(cells, form), as_dates(cells, TWINS[form])
    if here.notna().sum() != there.notna().sum():
        return ""
    differs = cells[here.notna() & there.notna() & (here != there)]
    if not len(differs):
        return ""
    return (
        f"cells such as {str(differs.iloc[0])!r} are read {ORDERS[form[:2]]}, as no cell shows "
        "which of day and month is"
    )


def _zone(cells: Cells) -> Any:
    arrow = getattr(cells.dtype, "pyarrow_dtype", None)
    return cells.dt.tz if arrow is None else arrow.tz


def _plain(cells: Cells) -> Cells:
    """Timestamps of Arrow as those of NumPy."""
    return cells.astype(f"datetime64[{cells.dtype.pyarrow_dtype.unit}]")


def _of_texts(texts: Cells, form: str) -> Cells:
    import pandas as pd

    found = pd.to_datetime(texts, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    known = ISO_OF_ANY_YEAR if form == ISO else DAY_OF_ANY_YEAR
    rest = texts[found.isna() & texts.str.fullmatch(known.pattern, na=False)]
    if not len(rest):
        return found
    read = {text: _of_any_year(text, form) for text in rest.unique()}
    far = pd.Series([read[text] for text in rest], rest.index, dtype="datetime64[us]")
    return found.astype("datetime64[us]").fillna(far)


def _of_any_year(text: str, form: str) -> np.datetime64:
    """A date that pandas, in some of its versions, takes as out of bounds."""
    with suppress(ValueError):
        value = text.removeprefix("+") if form == ISO else datetime.strptime(text, form)
        return np.datetime64(value, "us")
    return np.datetime64("NaT", "us")


def days_of(dates: Cells) -> Array:
    """Days since 1970, with fractions; NaN where there is no date."""
    values = dates.to_numpy()
    unit, count = np.datetime_data(values.dtype)
    days = values.view(np.int64) * count / UNITS_IN_DAY[unit]
    return np.where(np.isnat(values), np.nan, days)


def never_of(days: Array) -> tuple[float, ...]:
    """Days that stand for "never": one or both extremes, repeated, far away from all others.

    Far is more than a decade, and more than all the others are apart.  In the years 1 and 9999
    once is enough.
    """
    never: list[float] = []
    values, counts = np.unique(days[np.isfinite(days)], return_counts=True)
    first, last = np.array(NEVER, "datetime64[D]").astype(np.int64)
    while len(values) > 1:
        gaps = values[1] - values[0], values[-1] - values[-2]
        spreads = values[-1] - values[1], values[-2] - values[0]
        ends = [
            end
            for gap, spread, end in zip(gaps, spreads, (0, -1), strict=True)
            if gap > max(spread, DECADE)
            and (counts[end] >= TWICE or not first <= values[end] < last)
        ]
        if len(values) == 2 and len(ends) == 2:
            ends = [0 if values[0] < first else -1]
        if not ends:
            break
        kept = slice(1, None) if ends[0] == 0 else slice(None, -1)
        never.append(float(values[ends[0]]))
        values, counts = values[kept], counts[kept]
    return tuple(never)


def day_text(day: float) -> str:
    """A day since 1970 as a date's text."""
    return str(np.datetime64(int(np.floor(day)), "D"))


def parts(name: str, dates: Cells, never: tuple[float, ...]) -> dict[str, Any]:
    """Features of dates: days since 1970, year, week and day as circles, and which is "never"."""
    import pandas as pd

    days, values = days_of(dates), dates.to_numpy()
    found: dict[str, Any] = {}
    if never:
        at = np.isin(days, never)
        names = [
            day_text(day) if is_never else "no" for day, is_never in zip(days, at, strict=True)
        ]
        found[f"{name}: never"] = pd.Series(names, dates.index, dtype=object)
        days, values = np.where(at, np.nan, days), np.where(at, np.datetime64("NaT"), values)
    numbers: dict[str, Any] = {f"{name}: day": days}
    for what, turn in _turns(values).items():
        numbers[f"{name}: {what}, sine"] = np.sin(2 * np.pi * turn)
        numbers[f"{name}: {what}, cosine"] = np.cos(2 * np.pi * turn)
    return numbers | found


def _turns(dates: Array) -> dict[str, Array]:
    """Parts of a year, a week and a day that have passed at dates; NaN where there is none."""
    year, day, hour, minute = (dates.astype(f"datetime64[{unit}]") for unit in "YDhm")
    monday = np.datetime64("1970-01-05", "D")
    return {
        "year": (_between(year, day, "D") + 1) / 365.25,
        "week": _between(monday, day, "D") % 7 / 7,
        "hour": (_between(day, hour, "h") + _between(hour, minute, "m") / 60) / 24,
    }


def _between(first: Any, last: Array, unit: str) -> Array:
    """Whole units from one date to another; NaN where one is not there."""
    spans = last - first.astype(f"datetime64[{unit}]")
    return np.where(np.isnat(spans), np.nan, spans.astype(f"timedelta64[{unit}]").astype(float))
