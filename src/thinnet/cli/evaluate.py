"""`thinnet evaluate`: a model measured on a table's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thinnet.cli import reports
from thinnet.cli.common import Force, one_sentence, screen
from thinnet.cli.models import N_DRAWS, Model, Uncertainty, error_bars, loaded, print_scores


def evaluate(
    model: Model,
    table: Annotated[Path, typer.Argument(help="A file with the columns of training, and target.")],
    report: Annotated[Path | None, typer.Option(help="A folder for pictures.")] = None,
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
    kind: Annotated[str | None, typer.Option("--format", help=reports.FORMAT)] = None,
    force: Force = False,
) -> None:
    """Measure a model on a table's file.

    With --uncertainty also whether it is as sure as it should be: of classes the calibration of
    their probabilities, of numbers how many true values intervals hold; --report adds pictures of
    that, and uncertain-rows.csv with the least certain rows and the cells that make them so.
    """
    with one_sentence(f"measuring on {table}"):
        from thinnet.jobs import evaluating, pictures

        read = {"MODEL": model, "TABLE": table}
        pictured = reports.asked(report, kind, table.name, read, force)
        bars = error_bars(uncertainty, n_draws=draws)
        estimator = loaded(model)
        measured = None if bars is None else _measured(estimator, table, bars, report)
        found = evaluating.evaluate(estimator, table) if measured is None else measured.plain
        where = f"{table.name}, {len(found.y)} rows"
        print_scores(estimator, evaluating.scores(estimator, found), where)
        if bars is not None:
            _print_calibration(f"{estimator.card_['target']}: {where}", measured, bars)
        if pictured is not None:
            reports.tell(pictures.draw(estimator, found, pictured, measured))


def _measured(estimator: Any, table: Path, bars: Any, report: Path | None) -> Any:
    from thinnet.jobs import measuring

    return measuring.measure(estimator, table, bars, least_certain=report is not None)


def _print_calibration(title: str, measured: Any, bars: Any) -> None:
    from thinnet.jobs import calibration

    for shown in calibration.tables(title, measured, bars.n_draws):
        screen.print(shown)
