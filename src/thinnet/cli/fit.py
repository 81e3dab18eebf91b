"""`thinnet fit`: a table's file, or a data set that it knows by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from thinnet.cli import fit_table, recipes, reports
from thinnet.cli.common import Force, as_typed, numbers, one_sentence
from thinnet.cli.defaults import shown
from thinnet.cli.recordings import RECORD
from thinnet.commands.recipes import OPTIMIZERS, RECIPES

OF_TABLES: Final = "Tables"
OF_NAMED: Final = "Data sets by name"


def _of(
    panel: str | None,
    text: str,
    *names: str,
    default: str | bool = False,
    metavar: str | None = None,
) -> Any:
    return typer.Option(
        *names, help=text, rich_help_panel=panel, show_default=default, metavar=metavar
    )


def _by(setting: str, text: str, *names: str, panel: str | None = None) -> Any:
    """An option that has the default of a setting."""
    return _of(panel, text, *names, default=shown(setting))


def fit(
    data: Annotated[
        str,
        typer.Argument(help=f"A file (CSV, Parquet) or one of {', '.join(RECIPES)}."),
    ],
    hidden: Annotated[str | None, _by("hidden", "Widths of hidden layers: 256,256.")] = None,
    dropout: Annotated[
        str | None,
        _by("dropout", "Rate behind every hidden layer, or one for each: 0.2,0.5."),
    ] = None,
    input_dropout: Annotated[float | None, _by("input_dropout", "Rate for the input.")] = None,
    batch_norm: Annotated[
        bool | None, _by("batch_norm", "Normalise batches.", "--batch-norm/--no-batch-norm")
    ] = None,
    learning_rate: Annotated[float | None, _by("learning_rate", "Of the optimizer.")] = None,
    batch_size: Annotated[int | None, _by("batch_size", "Rows of a step.")] = None,
    epochs: Annotated[int | None, _by("epochs", "Passes over the data (at most).")] = None,
    seed: Annotated[
        int | None, _by("seed", "Of weights, masks, splits and order; from 0.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the model of a table goes; or, for a data set by name, the learning curves "
            "(.png, .svg, .pdf), with its models, and a picture of two inputs, beside them."
        ),
    ] = None,
    force: Force = False,
    record: Annotated[Path | None, typer.Option(help=RECORD, metavar="<path>")] = None,
    target: Annotated[
        list[str] | None,
        _of(OF_TABLES, "The column to predict, one column.", metavar="<column>"),
    ] = None,
    task: Annotated[
        str | None, _of(OF_TABLES, "auto, classification or regression.", default="auto")
    ] = None,
    test: Annotated[
        str | None, _of(OF_TABLES, "A file to measure the model on.", metavar="<path>")
    ] = None,
    test_fraction: Annotated[
        float | None,
        _of(OF_TABLES, "Fraction of the rows to measure on, without --test.", default="0.2"),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        _of(OF_TABLES, "A column not to learn from; may be repeated.", metavar="<column>"),
    ] = None,
    weight: Annotated[
        str | None,
        _of(OF_TABLES, "The column of the rows' weights, in training and in scores.",
            metavar="<column>"),
    ] = None,
    group: Annotated[
        str | None,
        _of(OF_TABLES, "The column of a group, such as a patient: no group is parted between rows "
            "to learn from and rows to measure on.", metavar="<column>"),
    ] = None,
    time: Annotated[
        str | None,
        _of(OF_TABLES, "The column of a time: the last rows are those to measure on, and nothing "
            "is learned from what is later.", metavar="<column>"),
    ] = None,
    kind: Annotated[
        list[str] | None,
        _of(OF_TABLES, "What a column is, if that is not to be found out: number, category, date, "
            "text or drop; may be repeated.", metavar="<column=kind>"),
    ] = None,
    missing: Annotated[
        list[str] | None,
        _of(OF_TABLES, "A word that means a missing cell, beside NA, ? and others; may be "
            "repeated.", metavar="<word>"),
    ] = None,
    header: Annotated[
        bool | None,
        _of(OF_TABLES, "Whether the first row holds names.", "--header/--no-header",
            default="found out"),
    ] = None,
    networks: Annotated[
        int | None, _by("networks", "How many networks are averaged.", panel=OF_TABLES)
    ] = None,
    weight_decay: Annotated[float | None, _by("weight_decay", "Of AdamW.", panel=OF_TABLES)] = None,
    effort: Annotated[
        str | None,
        _by("effort", "normal or high, for who has minutes.", panel=OF_TABLES),
    ] = None,
    time_limit: Annotated[
        float | None,
        _of(OF_TABLES, "The seconds that training may take.", metavar="<seconds>"),
    ] = None,
    eval_metric: Annotated[
        str | None,
        _of(OF_TABLES, "What training stops by on rows held out: loss; of classes log_loss, "
            "accuracy, balanced_accuracy, roc_auc, f1 or brier; of numbers squared_error, rmse, "
            "absolute_error or r2.", default="loss"),
    ] = None,
    loss: Annotated[
        str | None,
        _by("loss", "Of numbers: squared_error, gaussian_nll or quantile.", panel=OF_TABLES),
    ] = None,
    quantile: Annotated[
        str | None,
        _by("quantile", "With --loss quantile: the levels, in (0, 1); predictions are the median, "
            "or the quantile at the one level.", panel=OF_TABLES),
    ] = None,
    balanced: Annotated[
        bool | None, _of(OF_TABLES, "Weigh classes up that are rare.", "--balanced", default="no")
    ] = None,
    threshold_for: Annotated[
        str | None,
        _of(OF_TABLES, "Of two classes: choose from which probability on the rarer one is "
            "predicted, for f1, balanced-accuracy, recall=0.8 or precision=0.8."),
    ] = None,
    positive: Annotated[
        str | None,
        _of(OF_TABLES, "With --threshold-for or --eval-metric f1: the class meant; by default the "
            "rarer."),
    ] = None,
    conformal: Annotated[
        bool | None,
        _of(OF_TABLES, "Keep a fifth of the rows apart, so that predict writes intervals or sets "
            "with a guaranteed coverage.", "--conformal"),
    ] = None,
    report: Annotated[Path | None, _of(OF_TABLES, reports.REPORT)] = None,
    pictured: Annotated[str | None, _of(OF_TABLES, reports.FORMAT, "--format")] = None,
    data_dir: Annotated[
        Path | None, _of(OF_NAMED, "Folder with the four idx files of fashion-mnist or mnist.")
    ] = None,
    l1: Annotated[float | None, _by("l1", "Adds l1 * sum |w| to the loss.", panel=OF_NAMED)] = None,
    l2: Annotated[float | None, _by("l2", "Adds l2 * sum w^2 to the loss.", panel=OF_NAMED)] = None,
    max_norm: Annotated[
        float | None,
        _by("max_norm", "Limit of the norm of a hidden unit's weights.", panel=OF_NAMED),
    ] = None,
    optimizer: Annotated[
        str | None, _by("optimizer", f"One of {', '.join(OPTIMIZERS)}.", panel=OF_NAMED)
    ] = None,
    decay: Annotated[
        float | None, _by("decay", "Learning rate / (1 + decay * step).", panel=OF_NAMED)
    ] = None,
    compare: Annotated[
        bool | None,
        _of(OF_NAMED, "Train the same network without dropout too.", "--compare/--no-compare",
            default="yes"),
    ] = None,
) -> None:  # fmt: skip
    """Train on DATA, and show how good the network is on what it has not seen."""
    with one_sentence(f"training on {data}"), as_typed():
        common = {
            "hidden": numbers("--hidden", int, hidden),
            "dropout": numbers("--dropout", float, dropout),
            "input_dropout": input_dropout,
            "batch_norm": batch_norm,
            "learning_rate": learning_rate,
            "batch_size": batch_size,
            "epochs": epochs,
            "seed": seed,
            "force": force,
            "record": record,
        }
        of_tables = {
            "target": target or None,
            "task": task,
            "test": test,
            "test_fraction": test_fraction,
            "leave_out": leave_out or None,
            "weight": weight,
            "group": group,
            "time": time,
            "kind": kind or None,
            "missing": missing or None,
            "header": header,
            "networks": networks,
            "weight_decay": weight_decay,
            "effort": effort,
            "time_limit": time_limit,
            "eval_metric": eval_metric,
            "loss": loss,
            "quantile": numbers("--quantile", float, quantile),
            "balanced": balanced,
            "threshold_for": threshold_for,
            "positive": positive,
            "conformal": conformal,
            "report": report,
            "format": pictured,
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
            recipes.fit(data, _given(common | of_named), out)
        else:
            _check_unused("for a data set by name, not for a table", of_named)
            fit_table.fit(data, _given(common | of_tables), out)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _check_unused(why: str, options: dict[str, Any]) -> None:
    for name, value in _given(options).items():
        no = "no-" if value is False else ""
        raise ValueError(f"--{no}{name.replace('_', '-')} is {why}")
