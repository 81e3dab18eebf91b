"""`thinnet fit` of a data set that it knows by name: the same network without and with dropout."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from thinnet.cli.common import STOPPED, fail, say, screen, unsaved
from thinnet.cli.recordings import recording_of, save_recording
from thinnet.commands import comparison
from thinnet.commands.comparison import Outcome
from thinnet.commands.recipes import RECIPES
from thinnet.datasets import FILES, Split
from thinnet.displays.saving import FORMATS
from thinnet.persistence import save

MODEL: Final = ".thinnet"


def fit(name: str, options: dict[str, Any], out: Path | None) -> None:
    out = out or Path(f"thinnet-{name}.png")
    data_dir, compare = options.pop("data_dir", None), options.pop("compare", True)
    recipe, force = RECIPES[name], options.pop("force", False)
    _check_places(out, _read(data_dir), force)
    record = options.pop("record", None)
    recording = recording_of(record, _read(data_dir) | {"--out": out}, force)
    settings = dataclasses.replace(recipe.settings, **options)
    split = recipe.load(data_dir)
    callbacks = [] if recording is None else [recording]
    with unsaved():
        entries = comparison.entries(split, settings, compare)
        outcomes = comparison.train_all(split, entries, callbacks=callbacks)
    screen.print(comparison.table(name, outcomes))
    screen.print(comparison.verdict(outcomes), highlight=False, markup=False)
    _save_pictures(name, split, outcomes, out)
    for outcome in outcomes:
        _save(outcome, out)
    save_recording(recording, record)
    if outcomes[-1].interrupted:
        fail("stopped before all networks were trained", STOPPED)


def _check_places(out: Path, read: dict[str, Path], force: bool) -> None:
    from thinnet.commands import places

    places.check_name("--out", out, [f".{kind}" for kind in FORMATS])
    places.check("--out", out, places.PICTURE, read, force)
    places.check("decision surface", _surface(out), places.PICTURE, read, force)
    for name in (comparison.WITHOUT, comparison.WITH):
        places.check(f"model {name}", _model(out, name), places.MODEL, read, force)


def _surface(out: Path) -> Path:
    return out.with_name(f"{out.stem}-surface{out.suffix}")


def _model(out: Path, name: str) -> Path:
    return out.with_name(f"{out.stem}-{name.replace(' ', '-')}{MODEL}")


def _read(data_dir: Path | None) -> dict[str, Path]:
    """The files that a data set may be read from, by name."""
    if data_dir is None:
        return {}
    names = {name for file in FILES for name in (file, file.removesuffix(".gz"))}
    return {name: data_dir / name for name in sorted(names)}


def _save_pictures(name: str, split: Split, outcomes: Sequence[Outcome], out: Path) -> None:
    rows = f"{name}: {len(split.y_train):,} training rows, {len(split.y_test):,} test rows"
    if saved := comparison.learning_curves(rows, outcomes, out):
        say(f"learning curves: {saved}")
    if saved := comparison.decision_surface(name, outcomes, split, _surface(out)):
        say(f"decision surface: {saved}")


def _save(outcome: Outcome, out: Path) -> None:
    """Save a network that was not interrupted: a file would not show that it was."""
    if outcome.interrupted:
        say(f"model {outcome.name}: not saved, its training was interrupted")
        return
    save(outcome.network, _model(out, outcome.name))
    say(f"model {outcome.name}: {_model(out, outcome.name)}")
