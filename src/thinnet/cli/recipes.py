"""`thinnet fit` of a data set that it knows by name: the same network without and with dropout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import typer

from thinnet import comparison
from thinnet.cli.common import STOPPED, say, screen
from thinnet.datasets import FILES
from thinnet.recipes import RECIPES
from thinnet.training import INTERRUPTED


def fit(name: str, options: dict[str, Any], out: Path | None) -> None:
    from thinnet.jobs import places

    out = out or Path(f"thinnet-{name}.png")
    data_dir, compare = options.pop("data_dir", None), options.pop("compare", True)
    recipe, force = RECIPES[name], options.pop("force", False)
    places.check_name("--out", out, (".png", ".pdf", ".svg"))
    places.check("--out", out, places.PICTURE, _read(data_dir), force)
    settings = dataclasses.replace(recipe.settings, **options)
    split = recipe.load(data_dir)
    outcomes = comparison.run(split, comparison.entries(split, settings, compare))
    screen.print(comparison.table(name, outcomes))
    if saved := comparison.picture(name, outcomes, out):
        say(f"learning curves: {saved}")
    if outcomes[-1].history.stopped == INTERRUPTED:
        raise typer.Exit(STOPPED)


def _read(data_dir: Path | None) -> dict[str, Path]:
    """The files that a data set may be read from, as they are called."""
    if data_dir is None:
        return {}
    names = {name for file in FILES for name in (file, file.removesuffix(".gz"))}
    return {name: data_dir / name for name in sorted(names)}
