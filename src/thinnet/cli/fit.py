"""`thinnet fit`: a table's file, or a data set that it knows by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from thinnet.cli import fit_table, recipes
from thinnet.cli.common import Force, as_typed, numbers, one_sentence
from thinnet.recipes import OPTIMISERS, RECIPES, Settings

OPTIONS: Final = {  # by the names that settings have inside
    **{f"{each}{name}": f"{each}--{name.replace('_', '-')}"
       for name in Settings.__dataclass_fields__ for each in ("", "each of ")},
    **{f"{each}{name}": f"{each}--{option.replace('_', '-')}"
       for option, name in fit_table.SETTINGS.items() for each in ("", "each of ")},
}  # fmt: skip
OF_TABLES: Final = "Tables"
OF_NAMED: Final = "Data sets by name"


def _of(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def fit(
    data: Annotated[
        str,
        typer.Argument(help=f"A file (CSV, Parquet) or one of {', '.join(RECIPES)}."),
    ],
    hidden: Annotated[str | None, typer.Option(help="Widths of hidden layers: 256,256.")] = None,
    dropout: Annotated[
        str | None,
        typer.Option(help="Rate behind every hidden layer, or one for each: 0.2,0.5."),
    ] = None,
    input_dropout: Annotated[float | None, typer.Option(help="Rate for the input.")] = None,
    batch_norm: Annotated[
        bool | None, typer.Option("--batch-norm/--no-batch-norm", help="Normalise batches.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the optimizer.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows of a step.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data (at most).")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, masks, splits and order; from 0.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the model of a table goes; or, for a data set by name, the learning curves "
            "(.png, .svg, .pdf), with its models, and a picture of two inputs, beside them."
        ),
    ] = None,
    force: Force = False,
    target: Annotated[list[str] | None, _of(OF_TABLES, "The column to predict.")] = None,
    task: Annotated[
        str | None, _of(OF_TABLES, "auto, classification or regression; by default auto.")
    ] = None,
    test: Annotated[Path | None, _of(OF_TABLES, "A file to measure the model on.")] = None,
    test_fraction: Annotated[
        float | None, _of(OF_TABLES, "Rows to measure on, without --test; by default 0.2.")
    ] = None,
    leave_out: Annotated[
        list[str] | None, _of(OF_TABLES, "A column not to learn from; may be repeated.")
    ] = None,
    header: Annotated[
        bool | None,
        _of(OF_TABLES, "Whether the first row holds names; found out by default.",
            "--header/--no-header"),
    ] = None,
    networks: Annotated[int | None, _of(OF_TABLES, "How many networks are averaged.")] = None,
    weight_decay: Annotated[float | None, _of(OF_TABLES, "Of AdamW.")] = None,
    balanced: Annotated[
        bool | None, _of(OF_TABLES, "Weigh classes up that are rare.", "--balanced")
    ] = None,
    report: Annotated[Path | None, _of(OF_TABLES, "A folder for pictures.")] = None,
    data_dir: Annotated[
        Path | None, _of(OF_NAMED, "Folder with the four idx files of fashion-mnist or mnist.")
    ] = None,
    l1: Annotated[float | None, _of(OF_NAMED, "Adds l1 * sum |w| to the loss.")] = None,
    l2: Annotated[float | None, _of(OF_NAMED, "Adds l2 * sum w^2 to the loss.")] = None,
    max_norm: Annotated[
        float | None, _of(OF_NAMED, "Limit of the norm of a hidden unit's weights.")
    ] = None,
    optimizer: Annotated[str | None, _of(OF_NAMED, f"One of {', '.join(OPTIMISERS)}.")] = None,
    decay: Annotated[float | None, _of(OF_NAMED, "Learning rate / (1 + decay * step).")] = None,
    compare: Annotated[
        bool | None,
        _of(OF_NAMED, "Train the same network without dropout too.", "--compare/--no-compare"),
    ] = None,
) -> None:  # fmt: skip
    """Train on DATA, and show how good the network is on what it has not seen."""
    with one_sentence(f"training on {data}"), as_typed(OPTIONS):
        shared = {
            "hidden": numbers("--hidden", int, hidden),
            "dropout": numbers("--dropout", float, dropout),
            "input_dropout": input_dropout,
            "batch_norm": batch_norm,
            "learning_rate": learning_rate,
            "batch_size": batch_size,
            "epochs": epochs,
            "seed": seed,
            "force": force,
        }
        of_tables = {
            "target": target or None,
            "task": task,
            "test": test,
            "test_fraction": test_fraction,
            "leave_out": leave_out or None,
            "header": header,
            "networks": networks,
            "weight_decay": weight_decay,
            "balanced": balanced,
            "report": report,
        }
        of_named = {
            "data_dir": data_dir,
            "l1": l1,
            "l2": l2,
            "max_norm": max_norm,
            "optimizer": optimizer,
            "decay": decay,
            "compare": compare,
        }
        if data in RECIPES:
            _check_unused(f"for a table's file, not for {data}", of_tables)
            recipes.fit(data, _given(shared | of_named), out)
        else:
            _check_unused("for a data set by name, not for a table", of_named)
            fit_table.fit(data, _given(shared | of_tables), out)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _check_unused(why: str, options: dict[str, Any]) -> None:
    for name in _given(options):
        raise ValueError(f"--{name.replace('_', '-')} is {why}")
