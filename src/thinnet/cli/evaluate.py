"""`thinnet evaluate`: a model measured on a table's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from thinnet.checks import DataFileError, quoted
from thinnet.cli import reports
from thinnet.cli.common import Force, note, one_sentence, screen
from thinnet.cli.models import (
    N_DRAWS,
    STRICT,
    Model,
    Uncertainty,
    error_bars,
    loaded,
    print_decision,
    print_held,
    print_remarks,
    print_scores,
)
from thinnet.console.tables import counted, printable


def evaluate(
    model: Model,
    table: Annotated[
        str,
        typer.Argument(help="A file with the columns of training, and target."),
    ],
    report: Annotated[Path | None, typer.Option(help=reports.REPORT)] = None,
    uncertainty: Uncertainty = False,
    draws: Annotated[int | None, typer.Option(help=N_DRAWS)] = None,
    kind: Annotated[str | None, typer.Option("--format", help=reports.FORMAT)] = None,
    strict: Annotated[bool, typer.Option("--strict", help=STRICT)] = False,
    force: Force = False,
) -> None:
    """Measure a model on a table's file.

    With --uncertainty also whether it is as sure as it should be: of classes the calibration of
    their probabilities, of numbers how many true values intervals hold; --report adds pictures of
    that, and uncertain-rows.csv with the least certain rows and the cells that make them so.
    """
    with one_sentence(f"measuring on {table}"):
        from thinnet.commands import coverage, evaluating
        from thinnet.commands.examples import Examples
        from thinnet.tables import drifting
        from thinnet.tables.reading.spooling import called, on_disk

        name, read = called(table), {"MODEL": model, "TABLE": table}
        place = reports.report_of(report, kind, read, force)
        bars = error_bars(uncertainty, n_draws=draws)
        estimator = loaded(model)
        drift, held, file = drifting.Total(), coverage.CoverageCheck(estimator), on_disk(table)
        examples = None if place is None else Examples(estimator)
        with drifting.reported_to(drift):
            measured = None if bars is None else _measured(held, file, bars, examples)
            found = (
                measured.answers
                if measured
                else evaluating.evaluate(estimator, file, held, examples)
            )
        _judge(drift.message(estimator), strict)
        weighed = "" if found.weights is None else f", weighed by {quoted(estimator.weight_name_)}"
        where = printable(f"{name}, {counted(len(found.y), 'row')}{weighed}")
        scores = evaluating.scores(estimator, found)
        print_scores(estimator, scores, evaluating.each_class(estimator, found), where)
        print_remarks(_remarks(held, found, file))
        print_decision(estimator)
        print_held(held.message())
        if bars is not None:
            _print_calibration(f"{estimator.card_['target']}: {where}", measured, bars)
        if place is not None:
            _save(place, (estimator, printable(name), found, measured, examples), bars)


def _remarks(held: Any, found: Any, file: Path) -> list[str]:
    from thinnet.commands import remarks
    from thinnet.tables.targeting import left_out
    from thinnet.uncertainty.draws.heads import ClassHead

    estimator, holes = held.estimator, held.without_target
    head = estimator.head_
    return [
        left_out(holes) if holes else "",
        remarks.of_weights(estimator, found.weights),
        remarks.of_table(estimator.card_, file, len(found.y)),
        remarks.of_classes(head.classes, found.y) if isinstance(head, ClassHead) else "",
    ]


def _judge(drift: str, strict: bool) -> None:
    if drift and strict:
        raise DataFileError(drift)
    if drift:
        note(drift)


def _measured(held: Any, table: Path, bars: Any, examples: Any) -> Any:
    from thinnet.commands import measuring

    return measuring.measure(held.estimator, table, bars, held, examples)


def _save(place: Any, found: tuple[Any, ...], bars: Any) -> None:
    from thinnet.commands import reporting
    from thinnet.commands.pictures import Findings

    reports.print_paths(reporting.save_report(Findings(*found), place, bars))


def _print_calibration(title: str, measured: Any, bars: Any) -> None:
    from thinnet.commands import calibration

    for shown in calibration.tables(title, measured, bars.n_draws):
        screen.print(shown)
