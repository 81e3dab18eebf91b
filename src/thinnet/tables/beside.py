"""What rows have beside the cells to learn from: weights, groups and times.

Each is an array, or the name of a column of the table.  Columns of weights and of groups are taken
out of the table, as the target's is: a weight says how much a row counts, and a group's name says
nothing of the groups to come.  A column of times stays, since trend and season may be learned from
it; `kinds={"when": "drop"}` leaves it out.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from thinnet import checks
from thinnet.arrays import Array
from thinnet.checks import SettingError, quoted
from thinnet.tables.columns import dates, naming
from thinnet.tables.columns.kinds import as_dates, as_numbers
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.reading.cells import DASH, Cells
from thinnet.tables.reading.frames import frame_of
from thinnet.tables.targeting import Targeted

Words: TypeAlias = tuple[str, ...] | None  # words that mean a missing cell


class Given(NamedTuple):
    """Weights, groups and times as `fit` was given them: arrays, or names of columns."""

    sample_weight: Any = None
    groups: Any = None
    time: Any = None

    @property
    def names(self) -> dict[str, str]:
        """Those that are names of columns."""
        return {role: of for role, of in self._asdict().items() if isinstance(of, str)}

    def check_fits(self, eval_set: Any) -> None:
        """ValueError where the rows to hold out would be chosen in two ways."""
        ways = {"groups": self.groups, "time": self.time, "eval_set": eval_set}
        both = [name for name, way in ways.items() if way is not None]
        if len(both) > 1:
            raise ValueError(
                f"{both[0]} must be None with {both[1]}, got both: rows are held out by one of them"
            )

    @property
    def not_learned(self) -> list[str]:
        """The names of the columns that are taken out of the table."""
        return [name for role, name in self.names.items() if role != "time"]


class Beside(NamedTuple):
    """Weights (above 0, of mean 1), groups (codes from 0) and times (which sort) of some rows."""

    weights: Array | None = None
    groups: Array | None = None
    times: Array | None = None

    def at(self, places: Array) -> Beside:
        return Beside(*(None if part is None else part[places] for part in self))


class Taken(NamedTuple):
    """A table and its targets, what its rows have beside them, and notes on rows left out."""

    table: Targeted
    beside: Beside
    notes: tuple[str, ...] = ()


def taken(found: Targeted, given: Given, missing: Words) -> Taken:
    """The table without the columns that are not learned from and without rows of weight 0.

    A row of weight 0 is left out as if it were not there: not even the bins and categories of
    columns are found from it.

    Raises
    ------
    ValueError
        If a column is not in the table, or a cell of it or an entry of an array can't be used.
    """
    if all(part is None for part in given):
        return Taken(found, Beside())
    weights = weights_of(found, given.sample_weight, missing)
    beside = Beside(weights, _groups_of(found, given, missing), _times_of(found, given, missing))
    found = _without_columns(found, given.not_learned)
    if weights is None:
        return Taken(found, beside)
    kept = np.flatnonzero(weights)
    notes = left_out(len(weights) - len(kept))
    beside = beside.at(kept)._replace(weights=of_mean_one(weights[kept]))
    return Taken(_at(found, kept) if notes else found, beside, notes)


def left_out(n: int) -> tuple[str, ...]:
    """The note about rows of weight 0, if there are any."""
    if not n:
        return ()
    return (f"{'1 row is' if n == 1 else f'{n:,} rows are'} left out: their weight is 0",)


def of_mean_one(weights: Array) -> Array | None:
    """The weights over their mean; None where all are the same, as if there were none."""
    if (weights == weights[0]).all():
        return None
    weights = weights / weights.max()
    return np.asarray(weights / weights.mean())


def weights_of(found: Targeted, given: Any, missing: Words) -> Array | None:
    """The weight of each row that has a target, at least 0 and not all 0."""
    if given is None:
        return None
    if isinstance(given, str):
        weights = weights_in(_cells(found, "sample_weight", given), missing, _places(found))
    else:
        weights = _checked(found, checks.numeric("sample_weight", given))
    if not weights.any():
        raise SettingError("sample_weight", "above 0 somewhere", "zeros only")
    return weights


def _checked(found: Targeted, weights: Array) -> Array:
    checks.must(weights.ndim == 1, "sample_weight", "one-dimensional", weights.shape)
    weights = _of_rows(found, "sample_weight", weights).astype(np.float64)
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            "sample_weight must be finite and >= 0 everywhere, got "
            f"{weights[row]:g} in row {_places(found)[row]}"
        )
    return weights


def weights_in(cells: Cells, missing: Words, places: Array) -> Array:
    """The numbers of a column of weights; ValueError names the first row without a usable one.

    Parameters
    ----------
    cells : pandas.Series
    missing : tuple of str or None
        The words that mean a missing cell.
    places : array of int, shape (rows,)
        The rows' places in the table, for the error.
    """
    clean = cleaned(cells, missing)
    numbers = as_numbers(clean, missing).to_numpy()
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(numbers) & (numbers >= 0))
    if bad.any():
        _refuse(clean, int(np.argmax(bad)), places, "weight", "numbers >= 0")
    return np.asarray(numbers, np.float64)


def groups_in(cells: Cells, missing: Words, places: Array) -> Array:
    """The groups of a column as codes, in the order in which they come."""
    import pandas as pd

    clean = _there(cells, missing, places, "group")
    return np.asarray(pd.factorize(clean.astype(object))[0])


def times_in(cells: Cells, missing: Words, places: Array) -> Array:
    """Times as numbers that sort: dates, moments and periods, or numbers such as years."""
    clean = _there(cells, missing, places, "time")
    if getattr(clean.dtype, "tz", None) is not None:
        clean = clean.dt.tz_convert("UTC")  # an hour that comes twice is put in order
    bad, numbers = np.full(len(clean), True), None
    if not dates.is_dates(clean):
        numbers = as_numbers(clean, missing).to_numpy()
        bad = ~np.isfinite(numbers)
        if not bad.any():
            return np.asarray(numbers)
    moments = as_dates(clean, dates.form_of_most(clean)).to_numpy()
    if (no_dates := np.isnat(moments)).sum() <= bad.sum():
        bad = no_dates
    if bad.any():
        _refuse(clean, int(np.argmax(bad)), places, "time", "dates or numbers")
    return np.asarray(moments.view(np.int64))


def _there(cells: Cells, missing: Words, places: Array, role: str) -> Cells:
    """Clean cells, none of which may be missing."""
    clean = cleaned(cells, missing)
    absent = clean.isna().to_numpy(bool)
    if role == "time":
        absent = absent | (clean.astype(object) == DASH).to_numpy(bool)
    if absent.any():
        _refuse(clean, int(np.argmax(absent)), places, role, f"the {role} of each row")
    return clean


def _groups_of(found: Targeted, given: Given, missing: Words) -> Array | None:
    if given.groups is None:
        return None
    return groups_in(*_column(found, "groups", given.groups, missing))


def _times_of(found: Targeted, given: Given, missing: Words) -> Array | None:
    return None if given.time is None else times_in(*_column(found, "time", given.time, missing))


def _column(found: Targeted, role: str, given: Any, missing: Words) -> tuple[Cells, Words, Array]:
    """Cells of a column of the table, or an array's as such a column."""
    import pandas as pd

    if isinstance(given, str):
        return _cells(found, role, given), missing, _places(found)
    values = given if isinstance(given, pd.Series) else checks.array(role, given)
    checks.must(np.ndim(values) == 1, role, "one-dimensional", np.shape(values))
    return pd.Series(_of_rows(found, role, values), name=None), (), _places(found)


def _cells(found: Targeted, role: str, name: str) -> Cells:
    frame = frame_of(found.X)
    if name not in frame.columns:
        raise ValueError(
            f"{role} must be an array or a column of the table beside the target, got "
            f"{quoted(name)}{naming.meant(name, frame.columns)}; there are "
            f"{naming.there(frame.columns)}"
        )
    return frame[name]


def _of_rows(found: Targeted, role: str, values: Any) -> Any:
    """Values for all rows, as those of the rows that have a target."""
    n = _num_samples(found.X) if found.known is None else len(found.known)
    checks.same_length(role, values, "X", n)
    return values if found.known is None else values[found.known]


def _places(found: Targeted) -> Array:
    """The places in the table of the rows that have a target."""
    if found.known is None:
        return np.arange(_num_samples(found.X))
    return np.flatnonzero(found.known)


def _without_columns(found: Targeted, names: list[str]) -> Targeted:
    if not names:
        return found
    left = frame_of(found.X).drop(columns=names)
    if not left.shape[1]:
        raise ValueError(f"X must have columns beside {', '.join(map(quoted, names))}, got none")
    whole = None if found.whole is None else frame_of(found.whole).drop(columns=names)
    return found._replace(X=left, whole=whole)


def _at(found: Targeted, kept: Array) -> Targeted:
    """The table with those of its rows that have a target at the places `kept` only."""
    places = _places(found)
    checks.same_length("y", found.y, "X", len(places))
    whole = found.X if found.whole is None else found.whole
    of_whole = np.ones(_num_samples(whole), bool)
    of_whole[np.delete(places, kept)] = False
    return found._replace(
        X=_safe_indexing(found.X, kept),
        y=_safe_indexing(found.y, kept),
        whole=_safe_indexing(whole, np.flatnonzero(of_whole)),
    )


def _refuse(cells: Cells, row: int, places: Array, role: str, wanted: str) -> NoReturn:
    """ValueError for the cell of a row, in a column or an array (which has no name)."""
    import pandas as pd

    cell, name = cells.iloc[row], cells.name
    got = "a missing cell" if pd.isna(cell) or cell == DASH else quoted(_plain(cell))
    which = f"the {role}s" if name is None else f"{role} column {quoted(name)}"
    raise ValueError(f"{which} must hold {wanted}, got {got} in row {places[row]}")


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell
