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


Uncertainty = Annotated[
    bool, typer.Option("--uncertainty", help="Error bars, by draws with dropout on.")
]
N_DRAWS: Final = "With --uncertainty: how many thinned networks are asked; by default 100."


def predict(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training.")],
    out: Annotated[Path, typer.Option(help="Where predictions go: .csv, .csv.gz or .parquet.")],
    proba: Annotated[bool, typer.Option("--proba", help="The probability of each class too.")] = (
        False
    ),
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
    coverage: Annotated[
        float | None, typer.Option(help="Of intervals for numbers, in (0, 1); by default 0.9.")
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(help="draw: a draw is one network for all rows (the default); element: each "
                     "row, by its place in the file, has its own masks."),
    ] = None,
) -> None:  # fmt: skip
    """Predict for each row of a table's file, however large.

    With --uncertainty predictions are the mean over the draws, and columns come beside them.

    Numbers: NAME_std (of a new value), NAME_epistemic (the part that more data would remove),
    NAME_aleatoric (the part that is noise), NAME_low and NAME_high (interval at --coverage).

    Classes, in nats: entropy (of the mean), expected_entropy (the part that is noise),
    mutual_information (the rest, on which the draws disagree); and variation_ratio, the share of
    draws that guess another class than most.
    """
    with one_sentence():
        from thinnet.jobs import predicting

        check_place("--out", out)
        bars = _error_bars(uncertainty, n_draws=draws, coverage=coverage, share=share)
        rows = predicting.predict(_loaded(model), table, out, probabilities=proba, error_bars=bars)
        say(f"{rows} predictions: {out}")


def evaluate(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training, and target.")],
    report: Annotated[Path | None, typer.Option(help="A folder for pictures.")] = None,
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
) -> None:
    """Measure a model on a table's file.

    With --uncertainty also whether it is as sure as it should be: of classes the calibration of
    their probabilities, of numbers how many true values intervals hold; --report adds pictures of
    that, and uncertain-rows.csv with the least certain rows and the cells that make them so.
    """
    with one_sentence():
        from thinnet.jobs import evaluating, pictures

        bars = _error_bars(uncertainty, n_draws=draws)
        estimator = _loaded(model)
        measured = None if bars is None else _measured(estimator, table, bars, report)
        found = evaluating.evaluate(estimator, table) if measured is None else measured.plain
        where = f"{table.name}, {len(found.y)} rows"
        _print_scores(estimator, evaluating.scores(estimator, found), where)
        if bars is not None:
            _print_calibration(f"{estimator.card_['target']}: {where}", measured, bars)
        if report is not None:
            for path in pictures.draw(estimator, found, report):
                say(f"picture: {path}")
        if report is not None and measured is not None:
            for path in pictures.draw_error_bars(estimator, measured, report):
                say(f"{'table' if path.suffix == '.csv' else 'picture'}: {path}")


def _error_bars(asked: bool, **settings: Any) -> Any:
    """What --uncertainty was asked for; None without it."""
    from thinnet.jobs.error_bars import ErrorBars

    given = {name: value for name, value in settings.items() if value is not None}
    if asked:
        return ErrorBars(**given)
    for name in given:
        raise ValueError(f"--{name.removeprefix('n_')} is for --uncertainty, got none")
    return None


def _measured(estimator: Any, table: Path, bars: Any, report: Path | None) -> Any:
    from thinnet.jobs import measuring

    return measuring.measure(estimator, table, bars, least_certain=report is not None)


def _print_calibration(title: str, measured: Any, bars: Any) -> None:
    from thinnet.jobs import calibration

    for shown in calibration.tables(title, measured, bars.n_draws):
        screen.print(shown)


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
