"""Cells unlike those of training: missing, unreadable, unseen, out of range."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from scipy import stats

from thinnet.arrays import Array
from thinnet.checks import DriftWarning, quoted
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.few import FEW, Table
from thinnet.tables.columns.kinds import Column
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.columns.preparing import prepared
from thinnet.tables.reading.cells import DASH, Frame

CHANCE: Final = 0.001  # the p-value below which a column drifts
MARGIN: Final = 1e-6  # relative to a range, for numbers rounded to another float type
MOST_NAMED: Final = 5  # columns in a sentence
Words: TypeAlias = tuple[str, ...] | None  # words that mean a missing cell


class Known(NamedTuple):
    """A column as fit saw it: its range or labels, and the counts of strange held-out cells.

    `unusual` counts held-out cells that were unseen, or out of the range, in their fold's training.
    """

    name: str
    kind: str
    low: float
    high: float
    labels: tuple[str, ...]
    rows: int
    missing: int
    unreadable: int
    unusual: int


class Counts(NamedTuple):
    """Counts of cells by column, in the order of `Known`; counts of several tables add up."""

    rows: int
    missing: Array
    unreadable: Array
    unusual: Array

    @property
    def is_strange(self) -> bool:
        """Whether any cell is."""
        return bool(self.missing.any() or self.unreadable.any() or self.unusual.any())

    def plus(self, other: Counts) -> Counts:
        pairs: Any = zip(self, other, strict=True)
        return Counts(*(a + b for a, b in pairs))


class Finding(NamedTuple):
    """A fault of a column: the fraction of such cells, that in held-out rows, and the p-value."""

    column: str
    fault: str
    fraction: float
    held_out: float
    p_value: float
    drifts: bool


class Cells(NamedTuple):
    """A column: numbers (dates as days) or labels, and the cells that are neither."""

    values: Array
    missing: Array
    unreadable: Array

    @property
    def usable(self) -> Array:
        return ~(self.missing | self.unreadable)

    def at(self, places: Any) -> Cells:
        return Cells(*(part[places] for part in self))


def cells_of(table: Table, column: Column) -> Cells:
    """The cells of a column; a date that stands for "never" counts as missing."""
    if (few := table.read(column)) is None:
        return _cells_of_many(table.frame, column, table.missing)
    if column.kind == "number":
        return Cells(*few, np.isnan(few.values) & ~few.missing)
    return Cells(*few, np.zeros(len(few.values), bool))


def _cells_of_many(frame: Frame, column: Column, words: Words) -> Cells:
    ready = prepared(frame[[column.name]], (column,), words)
    values, present = ready.iloc[:, 0].to_numpy(), cleaned(frame[column.name], words)
    missing = present.isna().to_numpy(bool, copy=True)
    if column.kind == "number":
        missing |= (present.astype(object) == DASH).to_numpy(bool)
    if column.kind == "date" and column.never:
        missing |= (ready[f"{column.name}: never"] != "no").to_numpy(bool)
    if column.kind in ("number", "date"):
        values = np.asarray(values, np.float64)
        return Cells(values, missing, np.isnan(values) & ~missing)
    return Cells(values, missing, np.zeros(len(values), bool))


def learned(
    frame: Frame,
    encoder: TableEncoder,
    splits: Sequence[tuple[Array, Array]],
    fitted: int | None = None,
) -> tuple[Known, ...]:
    """The ranges, labels and counts of each column that is used.

    Parameters
    ----------
    frame : pandas.DataFrame
    encoder : TableEncoder
    splits : sequence of pairs of arrays
        The places of training rows, and of rows held out.
    fitted : int, optional
        The number of first rows that give the model's ranges and labels; None for all.
    """
    table = Table(frame, encoder.missing_)
    return tuple(
        _known(cells_of(table, column), column, splits, fitted)
        for column in encoder.columns_
        if column.kind != "left out"
    )


def _known(
    cells: Cells, column: Column, splits: Sequence[tuple[Array, Array]], fitted: int | None
) -> Known:
    unusual = 0
    for kept, held in splits:
        unusual += int(_unusual(cells.at(held), *_range(cells.at(kept), column.kind)).sum())
    places = np.concatenate([held for _, held in splits])
    faults = (int(cells.missing[places].sum()), int(cells.unreadable[places].sum()))
    found = _range(cells.at(slice(fitted)), column.kind)
    return Known(column.name, column.kind, *found, len(places), *faults, unusual)


def _range(cells: Cells, kind: str) -> tuple[float, float, tuple[str, ...]]:
    values = cells.values[cells.usable]
    if kind == "category":
        return 0.0, 0.0, tuple(sorted(set(map(str, values))))
    if kind == "text" or not len(values):
        return -np.inf, np.inf, ()
    return float(values.min()), float(values.max()), ()


def _unusual(cells: Cells, low: float, high: float, labels: tuple[str, ...]) -> Array:
    if cells.values.dtype == np.float64:
        margin = MARGIN * max(abs(low), abs(high)) if np.isfinite([low, high]).all() else 0.0
        outside = (cells.values < low - margin) | (cells.values > high + margin)
        return outside & cells.usable
    if not labels:
        return np.zeros(len(cells.values), bool)
    if len(cells.values) <= FEW:
        known = _set_of(labels)
        return np.array([value not in known for value in cells.values]) & cells.usable
    import pandas as pd

    return np.asarray(~pd.Series(cells.values).isin(labels).to_numpy(bool) & cells.usable)


@lru_cache(maxsize=1024)
def _set_of(labels: tuple[str, ...]) -> frozenset[str]:
    return frozenset(labels)


def counts(table: Table, encoder: TableEncoder, known: Sequence[Known]) -> Counts:
    by_name = {column.name: column for column in encoder.columns_}
    each = []
    for learned in known:
        cells = cells_of(table, by_name[learned.name])
        strange = _unusual(cells, learned.low, learned.high, learned.labels)
        each.append(list(map(np.count_nonzero, (cells.missing, cells.unreadable, strange))))
    return Counts(len(table), *np.array(each, np.int64).reshape(-1, 3).T)


def findings(found: Counts, known: Sequence[Known]) -> list[Finding]:
    """A finding for each column and each fault that its kind can have."""
    lines = []
    for i, learned in enumerate(known):
        named = {
            "missing": (int(found.missing[i]), learned.missing),
            "unreadable": (int(found.unreadable[i]), learned.unreadable),
            "unseen": (int(found.unusual[i]), learned.unusual),
        }
        if learned.kind in ("number", "date"):
            named["out of range"] = named.pop("unseen")
        else:
            del named["unreadable"]
        if learned.kind == "text":
            del named["unseen"]
        lines += [_finding(learned, fault, found.rows, *pair) for fault, pair in named.items()]
    return lines


def _finding(known: Known, fault: str, rows: int, here: int, held: int) -> Finding:
    """The finding by Fisher's exact test of two fractions, given all strange cells of both."""
    together = here + held
    p = float(stats.hypergeom.sf(here - 1, rows + known.rows, together, rows)) if here else 1.0
    fraction, before = here / max(rows, 1), held / max(known.rows, 1)
    return Finding(known.name, fault, fraction, before, p, p < CHANCE and fraction > before)


def sentence(found: Sequence[Finding]) -> str:
    """The sentence about the columns that drift; "" if none does."""
    most = [finding for finding in found if finding.drifts]
    text = "; ".join(
        f"{quoted(f.column)}: {f.fraction:.2%} of the cells {f.fault} "
        f"(held-out rows: {f.held_out:.2%})"
        for f in most[:MOST_NAMED]
    )
    more = f"; and {len(most) - MOST_NAMED} more" if len(most) > MOST_NAMED else ""
    return f"the table differs from the rows of training: column {text}{more}" if most else ""


Report: TypeAlias = Callable[[Any, Counts], None]


def _warn(estimator: Any, found: Counts) -> None:
    if found.is_strange and (message := sentence(findings(found, estimator.drift_))):
        warnings.warn(message, DriftWarning, stacklevel=2)


_report: ContextVar[Report] = ContextVar("drift_report", default=_warn)


def report(estimator: Any, table: Table) -> None:
    """Count the strange cells of a table to predict for, and warn, or pass the counts on."""
    known = getattr(estimator, "drift_", None)
    if known is None or (receiver := _report.get()) is ignored:
        return
    receiver(estimator, counts(table, estimator.encoder_, known))


def ignored(estimator: Any, found: Counts) -> None:
    """Drop the counts: the rows were counted already."""


class Total:
    """The counts of a table that comes in blocks, tested together at its end."""

    def __init__(self) -> None:
        self.counts: Counts | None = None

    def __call__(self, estimator: Any, found: Counts) -> None:
        self.counts = found if self.counts is None else self.counts.plus(found)

    def message(self, estimator: Any) -> str:
        return sentence(findings(self.counts, estimator.drift_)) if self.counts else ""


@contextmanager
def reported_to(receiver: Report) -> Iterator[None]:
    token = _report.set(receiver)
    try:
        yield
    finally:
        _report.reset(token)
