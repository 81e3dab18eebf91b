"""`thinnet fit` of a table's file: train, measure, save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from thinnet.checks import must, quoted
from thinnet.cli import reports
from thinnet.cli.common import STOPPED, fail, note, say, unsaved
from thinnet.cli.flags import SETTINGS
from thinnet.cli.models import print_held, print_remarks, print_scores
from thinnet.cli.recordings import recording_of, save_recording
from thinnet.commands.recipes import RECIPES
from thinnet.console.tables import printable

MODEL: Final = ".thinnet"


def fit(data: str, options: dict[str, Any], out: Path | None) -> None:
    from thinnet.commands import fitting, places
    from thinnet.persistence import save
    from thinnet.tables.reading.spooling import called

    _check_target(data, options)
    if "test" in options and "test_fraction" in options:
        raise ValueError("--test-fraction must be left out with --test, got both")
    out = out or Path(f"{'stdin' if data == '-' else Path(data).name.split('.')[0]}{MODEL}")
    force = options.pop("force", False)
    read = {"DATA": data, "--test": options.get("test")}
    places.check("--out", out, places.MODEL, read, force)
    measured_on = called(options.get("test") or data)
    folder, kind = options.pop("report", None), options.pop("format", None)
    report = reports.report_of(folder, kind, read | {"--out": out}, force)
    record = options.pop("record", None)
    recording = recording_of(record, read | {"--out": out}, force)
    job = _order(data, options, [] if recording is None else [recording])
    with unsaved():
        outcome = fitting.fit(job, report=say)
    _print(outcome)
    save(outcome.estimator, out)
    say(f"model: {out}")
    save_recording(recording, record, outcome.places)
    if report is not None:
        _save_report(outcome, measured_on, report)
    if outcome.estimator.interrupted_:
        fail("stopped; the model is of what was finished", STOPPED)


def _check_target(data: str, options: dict[str, Any]) -> None:
    if "target" not in options and data != "-" and not Path(data).exists():
        raise ValueError(
            f"DATA must be a table's file (with --target COLUMN) or one of {', '.join(RECIPES)}, "
            f"got {data!r}"
        )
    if "target" not in options:
        raise ValueError("--target must name the column to predict, got none")
    if len(options["target"]) > 1:
        given = ", ".join(map(quoted, options["target"]))
        raise ValueError(
            f"--target must name one column, got {given}; several numbers at once are for "
            "TableRegressor in Python"
        )


def _save_report(outcome: Any, table: str, place: Any) -> None:
    from thinnet.commands import reporting
    from thinnet.commands.pictures import Findings

    found = Findings(
        outcome.estimator, printable(table), outcome.answers, examples=outcome.examples
    )
    reports.print_paths(reporting.save_report(found, place))


def _print(outcome: Any) -> None:
    """Print the notes on the table and the scores of the model."""
    from thinnet.commands import coverage

    estimator = outcome.estimator
    for message in estimator.notes_:
        note(message)
    print_held(coverage.of_training(estimator))
    print_scores(estimator, outcome.scores, outcome.classes)
    print_remarks(estimator.card_["remarks"])
    print_held(estimator.card_.get("held"))


def _order(data: str, options: dict[str, Any], callbacks: Sequence[Any]) -> Any:
    from thinnet.commands.fitting import FitJob

    settings = {SETTINGS[name]: options.pop(name) for name in list(options) if name in SETTINGS}
    settings |= {"callbacks": callbacks} if callbacks else {}
    rates = settings.get("dropout")
    if rates is not None and len(rates) == 1:
        settings["dropout"] = rates[0]
    if options.pop("balanced", False):
        settings["class_weight"] = "balanced"
    (options["target"],) = options["target"]
    options["kinds"] = _kinds(options.pop("kind", ()))
    options["missing"] = tuple(options.get("missing", ()))
    options["leave_out"] = tuple(options.get("leave_out", ()))
    return FitJob(data, settings=settings, **options)


def _kinds(texts: Sequence[str]) -> dict[str, str]:
    """Kinds by column, of words such as zip=category; a column's name may hold "=" too."""
    from thinnet.tables.columns.kinds import checked_kinds

    pairs = [text.rpartition("=") for text in texts]
    for (name, _, kind), text in zip(pairs, texts, strict=True):
        must(bool(name and kind), "--kind", "COLUMN=KIND", text)
    return dict(checked_kinds({name: kind for name, _, kind in pairs}))
