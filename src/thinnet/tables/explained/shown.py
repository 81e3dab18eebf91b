"""An explained row as tables and sentences for screens, pages and notebooks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from rich.table import Table
from rich.text import Text

from thinnet.arrays import Array
from thinnet.console.tables import counted, printable
from thinnet.tables.explained.fields import Explained
from thinnet.tables.explained.wording import about_answer, about_error_bar
from thinnet.tables.uncertain import shortened, value_text
from thinnet.uncertainty.draws.heads import ClassHead

MISSING: Final = "(missing)"
OUTPUTS: Final = 12  # raw outputs of a network that are shown
HOLDS_NO_CAUSE: Final = (
    "Each with one cell replaced and the others fixed: no cause, and not what columns do together."
)
FIRST_ORDER: Final = (
    "Norm: the length of what is added to the units. Effect: what it adds to the answer of this "
    "network, to first order: a column as a whole may do otherwise."
)


def parts(of: Explained) -> list[Table | Text]:
    """All of an explained row but its trace, in the order in which it is read."""
    found: list[Table | Text] = [plain(f"row {of.row}: {answer_text(of)}")]
    found += [cells(of), moves(of), added(of), networks(of)]
    sentences = [*about_answer(of), *about_error_bar(of)]
    return [*found, plain("\n".join(sentences))]


def plain(text: Any) -> Text:
    """A text as it is: no marks of rich, and no letters that steer a screen."""
    kept = (
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(x) == "Cc" and x != "\n" else x
        for x in printable(str(text))
    )
    return Text("".join(kept))


def answer_text(of: Explained) -> str:
    """The answer in a few words."""
    answer, head = of.answer, of.head
    if isinstance(head, ClassHead):
        (place,) = answer.places
        p = value_text(float(answer.mean[place]))
        return f"{head.name} is {shortened(str(answer.label))}, with probability {p}"
    pairs = zip(answer.names, answer.mean, strict=True)
    return ", ".join(f"{name} is {value_text(float(mean))}" for name, mean in pairs)


def names_explained(of: Explained) -> list[str]:
    """What is explained: "p(yes)", or the names of targets."""
    is_class = isinstance(of.head, ClassHead)
    found = [shortened(of.answer.names[place]) for place in of.answer.places]
    return [f"p({name})" if is_class else name for name in found]


def cells(of: Explained) -> Table:
    """Each cell, and how it becomes numbers."""
    rows = [
        (cell.column.name, cell.column.kind, cell.text or MISSING, "\n".join(cell.lines))
        for cell in of.cells
    ]
    return table("The cells, and what they become", ("column", "kind", "cell", "becomes"), rows)


def moves(of: Explained) -> Table:
    """By how much the answer moves with typical cells."""
    by_name = {cell.column.name: cell for cell in of.cells}
    typical, places = of.typical, list(of.answer.places)
    heads = [part for name in names_explained(of) for part in (f"{name} then", "moves by")]
    rows = []
    for i in of.order:
        name = typical.columns[i]
        numbers = zip(typical.answers[i, places], typical.moves[i, places], strict=True)
        shown = [text for then, move in numbers for text in (number(then), signed(move))]
        rows.append((name, by_name[name].text or MISSING, typical.texts[i] or MISSING, *shown))
    found = table(
        "With a typical value in place of a cell", ("column", "cell", "typical", *heads), rows, 3
    )
    found.caption = plain(HOLDS_NO_CAUSE)
    return found


def added(of: Explained) -> Table:
    """What each column adds to the first layer."""
    first = of.first_layer
    lines = list(zip(first.columns, first.norms, first.effects, strict=True))
    by_norm = np.argsort(-first.norms, kind="stable")
    bias = length(first.bias), first.bias @ first.slopes
    shown = [(name, norm, effect) for name, norm, effect in (lines[i] for i in by_norm)]
    ends = [("(bias)", *bias), ("sum", length(first.sums), first.sums @ first.slopes)]
    rows = [(name, number(norm), *map(signed, effect)) for name, norm, effect in (*shown, *ends)]
    which = "the network" if of.member is None else f"network {of.member}"
    title = f"What columns add to the {counted(len(first.bias), 'unit')} of {which}'s first layer"
    heads = [f"effect on {name}" for name in names_explained(of)]
    found = table(title, ("column", "norm", *heads), rows, 1)
    found.caption = plain(FIRST_ORDER)
    return found


def length(vector: Array) -> float:
    return float(np.sqrt(np.sum(np.square(vector))))


def networks(of: Explained) -> Table:
    """The outputs and the answer of each network, and their mean."""
    answer, places = of.answer, list(of.answer.places)
    rows = [
        (str(i), outputs_text(outputs), *map(number, each[places]))
        for i, (outputs, each) in enumerate(zip(answer.outputs, answer.members, strict=True))
    ]
    rows.append(("together", "", *map(number, answer.explained)))
    heads = ("network", "outputs", *names_explained(of))
    return table("What the networks answer", heads, rows, 1)


def outputs_text(outputs: Array) -> str:
    texts = [number(output) for output in outputs[:OUTPUTS]]
    return ", ".join([*texts, "..."] if len(outputs) > OUTPUTS else texts)


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 0) -> Table:
    """A table whose columns behind the first `words` are numbers, on the right; 0: none are."""
    shown = Table(title=plain(title), title_justify="left", caption_justify="left")
    for i, head in enumerate(heads):
        on_right = bool(words) and i >= words
        shown.add_column(plain(head), justify="right" if on_right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(plain, row))
    return shown


def number(value: float) -> str:
    return value_text(float(value))


def signed(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{number(abs(value))}"
