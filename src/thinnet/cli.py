"""The command `thinnet`: it reads options and prints; all logic is elsewhere."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import thinnet
from thinnet import checks, comparison
from thinnet.checks import DataFileError, DivergedError
from thinnet.recipes import OPTIMISERS, RECIPES
from thinnet.training import INTERRUPTED

FAILED, WRONG_USE, STOPPED = 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train neural networks that generalise, with dropout as a first-class thing.",
)
screen = Console()
errors = Console(stderr=True)


def _version(asked: bool) -> bool:
    if asked:
        screen.print(f"thinnet {thinnet.__version__}", highlight=False)
        raise typer.Exit
    return asked


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks that generalise, with dropout as a first-class thing."""


def _numbers(option: str, kind: type, text: str | None) -> Any:
    """The numbers between commas."""
    if text is None:
        return None
    try:
        return tuple(kind(part) for part in text.split(",")) if text else ()
    except ValueError:
        kind_of = "integers" if kind is int else "numbers"
        raise ValueError(f"{option} must be {kind_of} between commas, got {text!r}") from None


@app.command()
def info() -> None:
    """Say what this machine has: processor, matrix products, threads, types, cache folder."""
    from thinnet.engine.info import info as found

    for name, value in found().items():
        screen.print(f"{name:13} {value}", highlight=False, soft_wrap=True, markup=False)


@app.command()
def fit(
    data: Annotated[str, typer.Argument(help=f"One of {', '.join(RECIPES)}.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder with the four idx files of fashion-mnist or mnist."),
    ] = None,
    hidden: Annotated[str | None, typer.Option(help="Widths of hidden layers: 256,256.")] = None,
    dropout: Annotated[
        str | None,
        typer.Option(help="Rate behind every hidden layer, or one for each: 0.2,0.5."),
    ] = None,
    input_dropout: Annotated[float | None, typer.Option(help="Rate for the input.")] = None,
    batch_norm: Annotated[
        bool | None, typer.Option("--batch-norm/--no-batch-norm", help="Normalise batches.")
    ] = None,
    l1: Annotated[float | None, typer.Option(help="Adds l1 * sum |w| to the loss.")] = None,
    l2: Annotated[float | None, typer.Option(help="Adds l2 * sum w^2 to the loss.")] = None,
    max_norm: Annotated[
        float | None, typer.Option(help="Limit of the norm of a hidden unit's weights.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help=f"One of {', '.join(OPTIMISERS)}.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the optimizer.")] = None,
    decay: Annotated[float | None, typer.Option(help="Learning rate / (1 + decay * step).")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows of a step.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, masks and order; 0 to 2^64 - 1.")
    ] = None,
    compare: Annotated[
        bool, typer.Option(help="Train the same network without dropout too.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option(help="Where the learning curves go; a PNG here by default.")
    ] = None,
) -> None:
    """Train a network without and with dropout on DATA, and show what dropout did for it."""
    try:
        given = {
            "hidden": _numbers("--hidden", int, hidden),
            "dropout": _numbers("--dropout", float, dropout),
            "input_dropout": input_dropout,
            "batch_norm": batch_norm,
            "l1": l1,
            "l2": l2,
            "max_norm": max_norm,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "decay": decay,
            "batch_size": batch_size,
            "epochs": epochs,
            "seed": seed,
        }
        options = {name: value for name, value in given.items() if value is not None}
        _fit(data, data_dir, options, compare, out or Path(f"thinnet-{data}.png"))
    except (DataFileError, DivergedError, OSError) as error:
        _fail(error, FAILED)
    except MemoryError as error:
        _fail(f"there is not enough memory for this network ({error})", FAILED)
    except ValueError as error:
        _fail(error, WRONG_USE)


def _fit(
    data: str, data_dir: Path | None, options: dict[str, Any], compare: bool, out: Path
) -> None:
    checks.one_of("DATA", data, tuple(RECIPES))
    _check_out(out)
    recipe = RECIPES[data]
    settings = dataclasses.replace(recipe.settings, **options)
    split = recipe.load(data_dir)
    with warnings.catch_warnings(record=True) as advice:
        warnings.simplefilter("always", UserWarning)
        entries = comparison.entries(split, settings, compare)
    for said in advice:
        errors.print(f"note: {said.message}", style="yellow", highlight=False, soft_wrap=True)
    outcomes = comparison.run(split, entries)
    screen.print(comparison.table(data, outcomes))
    if saved := comparison.picture(data, outcomes, out):
        screen.print(f"learning curves: {saved}", highlight=False, soft_wrap=True, markup=False)
    if outcomes[-1].history.stopped == INTERRUPTED:
        raise typer.Exit(STOPPED)


def _check_out(out: Path) -> None:
    """Before anything is trained, so that no result is lost to a wrong name."""
    writable = out.parent.is_dir() and os.access(out.parent, os.W_OK) and not out.is_dir()
    checks.must(writable, "--out", "a file in a folder that can be written to", str(out))
    kinds = (".png", ".pdf", ".svg")
    checks.must(out.suffix in kinds, "--out", f"a name that ends in {', '.join(kinds)}", str(out))


def _fail(error: Exception | str, code: int) -> None:
    errors.print(f"thinnet: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)
