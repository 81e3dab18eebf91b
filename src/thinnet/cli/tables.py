"""The commands for tables: fit, predict, evaluate, show, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from thinnet.cli.common import check_place, note, one_sentence, say, screen
from thinnet.layers.base import title
from thinnet.recipes import RECIPES

MODEL: Final = ".thinnet"
SETTINGS: Final = {  # an option, and the estimator's parameter
    "hidden": "hidden_layer_sizes",
    "dropout": "dropout",
    "input_dropout": "input_dropout",
    "batch_norm": "batch_norm",
    "learning_rate": "learning_rate_init",
    "batch_size": "batch_size",
    "epochs": "max_iter",
    "networks": "n_networks",
    "weight_decay": "weight_decay",
}

Model = Annotated[Path, typer.Argument(help="A model that `thinnet fit` has saved.")]


def fit(data: str, options: dict[str, Any], out: Path | None) -> None:
    from thinnet import save
    from thinnet.jobs import fitting, pictures

    if "target" not in options and not Path(data).exists():
        raise ValueError(
            f"DATA must be a table's file (with --target COLUMN) or one of {', '.join(RECIPES)}, "
            f"got {data!r}"
        )
    if "target" not in options:
        raise ValueError("--target must name the column to predict, got none")
    out = out or Path(f"{Path(data).name.split('.')[0]}{MODEL}")
    check_place("--out", out)
    report = options.pop("report", None)
    outcome = fitting.fit(_order(data, options))
    for said in outcome.estimator.notes_:
        note(said)
    _print_scores(outcome.estimator, outcome.scores)
    save(outcome.estimator, out)
    say(f"model: {out}")
    if report is not None:
        for path in pictures.draw(outcome.estimator, outcome.answers, report):
            say(f"picture: {path}")


def _order(data: str, options: dict[str, Any]) -> Any:
    from thinnet.jobs.fitting import Order

    settings = {SETTINGS[name]: options.pop(name) for name in list(options) if name in SETTINGS}
    rates = settings.get("dropout")
    if rates is not None and len(rates) == 1:
        settings["dropout"] = rates[0]
    if options.pop("balanced", False):
        settings["class_weight"] = "balanced"
    options["leave_out"] = tuple(options.get("leave_out", ()))
    return Order(data, settings=settings, **options)


def _print_scores(estimator: Any, scores: Any, where: str | None = None) -> None:
    from thinnet.jobs import scoring

    card = estimator.card_
    where = where or card["tested on"]
    if where is None:
        say(f"trained on {card['rows']} rows; no rows were held out to measure on")
        return
    plain = "most frequent class" if hasattr(estimator, "classes_") else "mean"
    screen.print(scoring.table(f"{card['target']}: {where}", scores, plain))


def predict(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training.")],
    out: Annotated[Path, typer.Option(help="Where predictions go: .csv, .csv.gz or .parquet.")],
    proba: Annotated[bool, typer.Option("--proba", help="The probability of each class too.")] = (
        False
    ),
) -> None:
    """Predict for each row of a table's file, however large."""
    with one_sentence():
        from thinnet.jobs import predicting

        rows = predicting.predict(_loaded(model), table, out, probabilities=proba)
        say(f"{rows} predictions: {out}")


def evaluate(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training, and target.")],
    report: Annotated[Path | None, typer.Option(help="A folder for pictures.")] = None,
) -> None:
    """Measure a model on a table's file."""
    with one_sentence():
        from thinnet.jobs import evaluating, pictures

        estimator = _loaded(model)
        found = evaluating.evaluate(estimator, table)
        where = f"{table.name}, {len(found.y)} rows"
        _print_scores(estimator, evaluating.scores(estimator, found), where)
        if report is not None:
            for path in pictures.draw(estimator, found, report):
                say(f"picture: {path}")


def show(model: Model) -> None:
    """Say what a model is, what it was trained on, and its scores."""
    with one_sentence():
        from thinnet.jobs import scoring

        estimator = _loaded(model)
        card = estimator.card_
        say(f"{type(estimator).__name__} of {card['table']}, for {card['target']}")
        say(f"trained on {card['rows']} rows by thinnet {card['thinnet']}, seed {card['seed']}")
        screen.print(_columns(estimator))
        network = estimator.networks_[0]
        chain = ", ".join(map(title, network.layers))
        say(f"{len(estimator.networks_)} networks of {network.theta.size:,} parameters: {chain}")
        for said in estimator.notes_:
            note(said)
        _print_scores(estimator, scoring.from_values(card["scores"]))


def _columns(estimator: Any) -> Table:
    shown = Table("column", "kind", "")
    for column in estimator.encoder_.columns_:
        shown.add_row(column.name, column.kind, column.why)
    return shown


def export(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Where the ONNX file goes.")],
) -> None:
    """Write a model as ONNX, columns included where they allow it."""
    with one_sentence():
        from thinnet import export_onnx

        check_place("OUT", out)
        export_onnx(_loaded(model), out)
        say(f"ONNX: {out}")


def _loaded(path: Path) -> Any:
    from thinnet import load
    from thinnet.checks import ModelFileError

    estimator = load(path)
    if not hasattr(estimator, "card_"):
        raise ModelFileError(
            f"model {str(path)!r} must be one that `thinnet fit` has saved for a table, got a "
            f"{type(estimator).__name__}"
        )
    return estimator
