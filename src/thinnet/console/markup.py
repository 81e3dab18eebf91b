"""HTML whose texts are escaped unless they are HTML already."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from rich.table import Table

from thinnet.console.tables import printable

NEVER: Final = ("Cc", "Cs")  # control letters and halves of others, which HTML can't hold
BLANKS: Final = "\n\t"
VOID: Final = ("img", "meta")


class Markup(str):
    """A text that is HTML."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """Any text as HTML that shows it."""
    if isinstance(text, Markup):
        return text
    shown = printable(str(text))
    letters = (
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in NEVER and letter not in BLANKS
        else letter
        for letter in shown
    )
    return Markup(escape("".join(letters)))


def tag(name: str, /, *children: object, **attributes: str) -> Markup:
    """An element; ``class_`` is the attribute class."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
    )
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{''.join(map(escaped, children))}</{name}>\n")


def joined(parts: Iterable[object]) -> Markup:
    return Markup("".join(map(escaped, parts)))


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    words: Iterable[str] = (),
    caption: str = "",
    *,
    stacks: bool = False,
) -> Markup:
    """A table in a box that scrolls by itself on narrow screens, or whose rows are stacked there.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequences
    words : iterable of str
        The heads of columns with words; all other cells are numbers, on the right.
    caption : str
    stacks : bool
        Whether cells stand below each other on narrow screens, each behind its head.
    """
    words = set(words)
    sides = ["w" if head in words else "n" for head in heads]

    def line(cells: Sequence[Any]) -> Markup:
        named = [{"data_head": head} if stacks else {} for head in heads]
        triples = zip(cells, sides, named, strict=True)
        return tag("tr", *(tag("td", cell, class_=side, **name) for cell, side, name in triples))

    top = [
        tag("th", head, class_=side, scope="col") for head, side in zip(heads, sides, strict=True)
    ]
    title = [tag("caption", caption)] if caption else []
    body = tag("tbody", *map(line, rows))
    whole = tag("table", *title, tag("thead", tag("tr", *top)), body)
    return tag("div", whole, class_="stacks scrolls" if stacks else "scrolls", tabindex="0")


def of_rich(shown: Table, *, stacks: bool = False) -> Markup:
    """A table that is made for a screen, as HTML; `stacks` as for `table`."""
    heads = [str(column.header) for column in shown.columns]
    rows = zip(*(map(str, column.cells) for column in shown.columns), strict=True)
    words = [heads[i] for i, c in enumerate(shown.columns) if c.justify != "right"]
    made = table(heads, list(rows), words, str(shown.title or ""), stacks=stacks)
    below = [tag("p", str(shown.caption), class_="small")] if shown.caption else []
    return joined([made, *below])
