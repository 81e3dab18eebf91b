"""`thinnet predict`: a prediction for each row of a table's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thinnet import atomic, checks
from thinnet.cli.common import Force, one_sentence, say
from thinnet.cli.models import N_DRAWS, STRICT, Model, Uncertainty, error_bars, loaded
from thinnet.console.tables import counted


def predict(
    model: Model,
    table: Annotated[
        str, typer.Argument(help="A file with the columns of training.")
    ],
    out: Annotated[Path, typer.Option(help="Where predictions go: .csv, .csv.gz or .parquet.")],
    proba: Annotated[bool, typer.Option("--proba", help="The probability of each class too.")] = (
        False
    ),
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
    strict: Annotated[bool, typer.Option("--strict", help=STRICT)] = False,
    coverage: Annotated[
        float | None, typer.Option(help="Of intervals for numbers, in (0, 1); by default 0.9.")
    ] = None,
    share: Annotated[
        str | None,
        typer.Option(help="batch: a draw is one network for all rows (the default); none: each "
                     "row, by its place in the file, has its own masks."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Columns of the table that stand before predictions as they came: "
                     "id,date; may be repeated.", metavar="<columns>"),
    ] = None,
    keep_all: Annotated[bool, typer.Option("--keep-all", help="All columns of the table.")] = False,
    force: Force = False,
) -> None:  # fmt: skip
    """Predict for each row of a table's file, however large.

    A prediction of the same name as a column that is kept is called "predicted NAME".

    With --uncertainty predictions are the mean over the draws, and columns come beside them.

    Numbers: NAME_std (of a new value), NAME_epistemic (the part that more data would remove),
    NAME_aleatoric (the part that is noise), NAME_low and NAME_high (interval at --coverage).

    Classes, in nats: entropy (of the mean), expected_entropy (the part that is noise),
    mutual_information (the rest, on which the draws disagree); and variation_ratio, the fraction of
    draws that guess another class than most.

    A model of `fit --conformal` also gives intervals (NAME_low, NAME_high) or sets of classes
    (NAME_set) that hold the truth with probability --coverage, whatever the model is.
    """
    with one_sentence(f"the predictions for {table}"):
        from thinnet.commands import conformal, places, predicting
        from thinnet.commands.keeping import Keep

        if keep and keep_all:
            raise ValueError("--keep must be left out with --keep-all, got both")
        atomic.check_place("--out", out)
        places.check_apart("--out", out, {"MODEL": model, "TABLE": table})
        estimator = loaded(model)
        alone = None if uncertainty or not conformal.is_conformal(estimator) else coverage
        if alone is not None:
            checks.inside("--coverage", alone)
        of_draws = None if alone is not None else coverage
        bars = error_bars(uncertainty, n_draws=draws, coverage=of_draws, share=share)
        rows = predicting.predict(
            estimator,
            table,
            out,
            probabilities=proba,
            error_bars=bars,
            force=force,
            keep=Keep(tuple(keep or ()), keep_all),
            coverage=alone,
            strict=strict,
        )
        say(f"{counted(rows, 'prediction')}: {out}")
