"""`thinnet fit` of a data set that it knows by name: the same network without and with dropout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import typer

from thinnet import comparison
from thinnet.cli.common import STOPPED, check_place, say, screen
from thinnet.recipes import RECIPES
from thinnet.training import INTERRUPTED


def fit(name: str, options: dict[str, Any], out: Path | None) -> None:
    out = out or Path(f"thinnet-{name}.png")
    check_place("--out", out, ".png", ".pdf", ".svg")
    data_dir, compare = options.pop("data_dir", None), options.pop("compare", True)
    recipe = RECIPES[name]
    settings = dataclasses.replace(recipe.settings, **options)
    split = recipe.load(data_dir)
    outcomes = comparison.run(split, comparison.entries(split, settings, compare))
    screen.print(comparison.table(name, outcomes))
    if saved := comparison.picture(name, outcomes, out):
        say(f"learning curves: {saved}")
    if outcomes[-1].history.stopped == INTERRUPTED:
        raise typer.Exit(STOPPED)
