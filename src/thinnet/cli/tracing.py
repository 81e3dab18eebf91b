"""`thinnet trace`: how a model comes from the cells of one row to its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from thinnet import checks
from thinnet.cli.common import Force, as_typed, one_sentence, say, screen

MODEL: Final = (
    "A model or a recording that `thinnet fit` has saved, or an estimator or network saved in "
    "Python."
)
ROW: Final = "The row's place in the table, counted from 0, as in uncertain-rows.csv."
STEP: Final = (
    "Of a recording (`thinnet fit --record`): the network as it stood before this step, from 0. "
    "Between keyframes TABLE must be the table of the training."
)
MEMBER: Final = "Which of the model's networks is shown number by number, counted from 0."
OUT: Final = "A page, one file of HTML without scripts, in place of the text."
PAGES: Final = (".html", ".htm")


def trace(
    model: Annotated[str, typer.Argument(help=MODEL)],
    table: Annotated[str, typer.Argument(help="A file with the columns of training.")],
    row: Annotated[int, typer.Option(help=ROW)],
    member: Annotated[int, typer.Option(help=MEMBER)] = 0,
    step: Annotated[int | None, typer.Option(help=STEP)] = None,
    out: Annotated[Path | None, typer.Option(help=OUT)] = None,
    force: Force = False,
) -> None:
    """Explain one row of a table's file, from its cells to the answer and its error bar.

    How each cell becomes numbers; by how much the answer moves where a cell takes a typical value
    (the median or the most frequent label of training); what each column adds to the first layer
    of a network; what the networks answer, and how sure they are together; and every number of one
    network's pass, dropout off. If the table has the target, also the loss and the way back.

    Of a network, or an estimator of rows of numbers, TABLE has these numbers.
    """
    with one_sentence(f"row {row} of {table}"), as_typed():
        from thinnet.commands import explaining, moments, places
        from thinnet.persistence import load
        from thinnet.tables.reading.spooling import called

        checks.integer("row", row, 0)
        checks.integer("member", member, 0)
        if out is not None:
            places.check_name("--out", out, PAGES)
            places.check("--out", out, places.PAGE, {"MODEL": model, "TABLE": table}, force)
        if step is not None:
            checks.integer("step", step, 0)
        of = moments.opened(model, load(model), table, member, step)
        found = explaining.explained(model, of.model, table, row, of.member, of.when)
        if out is not None:
            explaining.save_page(out, called(table), found)
            say(f"page: {out}")
            return
        for part in explaining.parts(found):
            screen.print(part, highlight=False)
            say("")
        say(explaining.text_of_trace(found))
