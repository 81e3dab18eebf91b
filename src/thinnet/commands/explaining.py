"""A row of a table's file explained by a model of any kind, for screens and as a page."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from thinnet.atomic import write_atomically
from thinnet.checks import DataFileError
from thinnet.commands import conformal, evaluating, number_rows, targets
from thinnet.commands.blame import data_at_fault
from thinnet.commands.number_rows import NumberRow
from thinnet.commands.styles import STYLE
from thinnet.console.documents import document, section
from thinnet.console.markup import Markup, of_rich, tag
from thinnet.console.tables import counted
from thinnet.network import Network
from thinnet.tables.base import TableEstimator
from thinnet.tables.explained import rows, shown
from thinnet.tables.explained.answers import Bars
from thinnet.tables.explained.rows import ExplainedRow
from thinnet.tables.explained.taking import row_of_file, target_of
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.spooling import on_disk
from thinnet.tracing.shown import html, styles

LOOK: Final = """
td { white-space: pre-line; }
td.w:last-child { max-width: 44rem; }
@media (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --ink: #e6e6e6; --paper: #16181b; --soft: #a8adb3; --line: #3a3f45;
    --band: #1e2125; --mark: #56B4E9; }
}
"""
BARS: Final = Bars()
NARROW: Final = 3  # columns that fit onto a narrow screen


class Found(NamedTuple):
    """A row explained, by what, and what rows that were kept apart guarantee, if any were."""

    of: ExplainedRow | NumberRow
    model: str
    guarantee: str = ""
    when: str = ""


def explained(
    path: str,
    model: Any,
    table: str | os.PathLike[str],
    row: int,
    member: int | Network,
    when: str = "",
) -> Found:
    """A row of a table's file, as `explain_row` has it, or of numbers for a network.

    Parameters
    ----------
    path : str
        The model's file, for sentences.
    model : estimator or Network
        A wrapper of an estimator is none.
    table : path
    row : int
        The row's place in the table, from 0.
    member : int or Network
        The network to trace: its place among the model's, or one of the same form, such as a member
        at an earlier step of its training.
    when : str
        Of a recording, which network and when, in words.

    Raises
    ------
    DataFileError
        If the file can't be read, has no such row, or lacks a column.
    ModelFileError
        If the model is neither a network nor an estimator of thinnet's.
    """
    file, by = on_disk(table), f"{type(model).__name__} {path}"
    if not isinstance(model, TableEstimator):
        networks = number_rows.networks_of(path, model)
        with data_at_fault():
            one = row_of_file(file, row, None)
            return Found(number_rows.explained(model, networks, one, member), by, when=when)
    with data_at_fault():
        one = row_of_file(file, row, model.dialect_)
        target = target_of(model, one.frame, _truth(model, one.frame))
        found = rows.explained(model, one, target, member, BARS)
        return Found(found, by, _guarantee(model, one.frame), when)


def _truth(model: Any, frame: Frame) -> Any:
    """The target of a row as `evaluate` reads it; None where it isn't known, or is no class."""
    name = vars(model).get("target_name_")
    if name not in frame.columns or targets.known(model, frame[name]).isna().iloc[0]:
        return None
    with suppress(DataFileError):
        return evaluating.truth(model, frame)[0]
    return None


def _guarantee(model: Any, frame: Frame) -> str:
    if not conformal.is_conformal(model):
        return ""
    found = [values[0] for values in conformal.columns(model, frame, None).values()]
    kept = counted(len(model.conformal_[0]), "row")
    inside = f"one of {found[0]}" if len(found) == 1 else " to ".join(map(shown.number, found))
    return (
        f"By {kept} kept apart, {model.head_.name} is {inside} with probability "
        f"{conformal.COVERAGE:g}, whatever the model is."
    )


def parts(found: Found) -> list[Table | Text]:
    """Tables and sentences for a screen, all but the trace."""
    made = number_rows.parts(found.of) if isinstance(found.of, NumberRow) else shown.parts(found.of)
    return [*made, shown.plain(found.guarantee)] if found.guarantee else made


def title_of_trace(found: Found) -> str:
    """The heading of a trace: what was passed."""
    of = found.of
    back = isinstance(of, ExplainedRow) and of.is_target_known
    ways = "forward, its loss, and back" if back else "forward"
    which = "The network" if of.member is None else f"Network {of.member}"
    if found.when:
        which = f"Network {found.when}"
    return f"{which}, dropout off: {ways}"


def text_of_trace(found: Found) -> str:
    return f"{title_of_trace(found)}\n\n{found.of.trace}"


def page(name: str, found: Found) -> str:
    """The page on a row of the table `name`."""
    head, *rest = parts(found)
    title = f"row {found.of.row} of {name}"
    answer = str(head).partition(": ")[2]
    lines = [answer, f"by the {found.model}"]
    header = tag("header", tag("h1", title), *(tag("p", line) for line in lines if line))
    tables = [_table(part) for part in rest if isinstance(part, Table)]
    lines = [line for part in rest if isinstance(part, Text) for line in str(part).split("\n")]
    sure = section("How sure it is", *(tag("p", line) for line in lines))
    trace = section(title_of_trace(found), html.part(found.of.trace))
    return document(title, [header, *tables, sure, trace], STYLE + styles.STYLE + LOOK)


def _table(shown: Table) -> Markup | None:
    title, shown.title = str(shown.title), None
    return section(title, of_rich(shown, stacks=len(shown.columns) > NARROW))


def save_page(path: str | os.PathLike[str], name: str, found: Found) -> None:
    """Write the page to a file, complete or not at all."""
    write_atomically(path, page(name, found).encode())
