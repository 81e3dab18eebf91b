"""Dates in ONNX: from seconds since 1970 to days, circles of year, week and day, and "never"."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.export.onnx_graph import TEXT, Value
from thinnet.tables.columns import dates
from thinnet.tables.columns.kinds import Column

MICRO: Final = 1_000_000
DAY: Final = 86_400  # in seconds
MINUTE: Final = 60
FAR: Final = 9e12  # seconds, within what datetime64 holds in microseconds; beyond is missing
NEAR: Final = 1e-3  # seconds: more than rounding takes from a day as far as 9999
MARCH: Final = 719_468  # days from 0000-03-01, on which years of leap days begin, to 1970
CYCLE: Final = 146_097  # days of 400 years
JANUARY: Final = 306  # days from 1 March to 1 January
MONDAY: Final = 4  # 1970-01-05, in days
LEAP_YEAR: Final = np.arange("2020-01-01", "2021-01-01", dtype="datetime64[D]")
WEEK: Final = np.arange("1970-01-05", "1970-01-12", dtype="datetime64[D]")
MINUTES: Final = np.arange("1970-01-01", "1970-01-02", dtype="datetime64[m]")
CIRCLES: Final = {"year": LEAP_YEAR, "week": WEEK, "hour": MINUTES}  # all dates that differ in it


def parts(column: Column, seconds: Value) -> dict[str, tuple[Column, Value]]:
    """What `thinnet.tables.columns.dates.parts` makes of a column, by its names.

    Circles are looked up in tables of its own numbers, so that they are the same to the last bit.
    """
    known = _between(seconds, -FAR, FAR)
    seconds = seconds.where(known, np.nan)
    found, name = dict[str, tuple[Column, Value]](), column.name
    endless = column._replace(low=-np.inf, high=np.inf)  # earlier models have no range of dates
    if column.never:
        never = {f"{name}: never": (column, _never(column, seconds))}
        for end in (day * DAY for day in column.never):
            seconds = _but(seconds, _between(seconds, end - NEAR, end + NEAR), np.nan)
    micro = (seconds * MICRO).to("Round")
    found[f"{name}: day"] = endless, micro / (float(DAY) * MICRO)
    missing = seconds.to("IsNaN", dtype=bool)
    places = _places(_but(micro, missing, 0.0).cast(np.int64))
    for what, at in places.items():
        for wave, table in _waves(what).items():
            circle = _but(at.pick(table), missing, np.nan)
            found[f"{name}: {what}, {wave}"] = endless, circle
    return found | (never if column.never else {})


def _between(x: Value, low: float, high: float) -> Value:
    """Whether numbers are in [low, high]; false for NaN."""
    return x.graph.node("And", x >= low, x <= high, dtype=bool)


def _but(x: Value, condition: Value, other: Any) -> Value:
    """`other` where the condition is true, else `x`."""
    return x.graph.value(other, x.dtype).where(condition, x)


def _never(column: Column, seconds: Value) -> Value:
    """The label of each row: the day that stands for "never", or "no"."""
    first, *others = column.never
    found = _label(first, seconds, np.array([["no"]], TEXT))
    for day in others:
        found = _label(day, seconds, found)
    return found


def _label(day: float, seconds: Value, other: Any) -> Value:
    at = _between(seconds, day * DAY - NEAR, day * DAY + NEAR)
    text = seconds.graph.value(np.array([[dates.day_text(day)]], TEXT), TEXT)
    return text.where(at, other)


def _places(micro: Value) -> dict[str, Value]:
    """Where dates stand among those of `CIRCLES`, in whole numbers."""
    seconds = _whole(micro, MICRO)
    day, in_day = _whole(seconds, DAY), _rest(seconds, DAY)
    return {
        "year": _day_of_year(day),
        "week": _rest(day - MONDAY, 7),
        "hour": in_day / MINUTE,
    }


def _day_of_year(day: Value) -> Value:
    """Days since 1 January, by years that end with their leap days, of which 400 are a cycle."""
    in_cycle = _rest(day + MARCH, CYCLE)
    leap_days = in_cycle / 1460 - in_cycle / 36_524 + in_cycle / (CYCLE - 1)
    year = (in_cycle - leap_days) / 365
    since_march = in_cycle - (year * 365 + year / 4 - year / 100)
    is_leap = _rest(year, 4).equals(0).cast(np.int64)
    is_leap = is_leap - _rest(year, 100).equals(0).cast(np.int64) + year.equals(0).cast(np.int64)
    return _but(since_march + 59 + is_leap, since_march >= JANUARY, since_march - JANUARY)


def _rest(n: Value, by: int) -> Value:
    """n modulo a number above 0, from 0 on also for n below 0."""
    return n.graph.node("Mod", n, by)


def _whole(n: Value, by: int) -> Value:
    """How many times a number goes into n, rounded down."""
    return (n - _rest(n, by)) / by


def _waves(what: str) -> dict[str, Array]:
    """Sine and cosine of all dates that differ in a circle."""
    import pandas as pd

    found = dates.parts("", pd.Series(CIRCLES[what].astype("datetime64[s]")), ())
    return {wave: np.asarray(found[f": {what}, {wave}"]) for wave in ("sine", "cosine")}
