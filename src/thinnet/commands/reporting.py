"""A report on a fitted table in a folder: pictures, a table, and one page with all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from thinnet.atomic import write_atomically
from thinnet.commands import page, pictures
from thinnet.commands.error_bars import ErrorBars
from thinnet.commands.measuring import Measured
from thinnet.commands.pictures import Findings, Picture
from thinnet.displays.saving import save_figure

UNCERTAIN: Final = "uncertain-rows.csv"
PAGE: Final = "report.html"


def names(kind: str = "png") -> list[str]:
    """All files that a report may have."""
    return [*(f"{stem}.{kind}" for stem in pictures.STEMS), UNCERTAIN, PAGE]


class Report(NamedTuple):
    """A folder, and the format of the pictures in it."""

    folder: Path
    kind: str = "png"


def save_report(found: Findings, report: Report, bars: ErrorBars | None = None) -> list[Path]:
    """Save pictures, the least certain rows if they are known, and the page; return their paths."""
    report.folder.mkdir(parents=True, exist_ok=True)
    with pictures.drawing():
        made = pictures.pictures(found)
        paths = [_saved(picture, report) for picture in made]
        whole = page.page(found, made, bars)
    if found.measured is not None:
        paths.append(_least_certain(found.measured, report))
    where = report.folder / PAGE
    write_atomically(where, whole.encode())
    return [*paths, where]


def _saved(picture: Picture, report: Report) -> Path:
    return save_figure(picture.figure, report.folder / f"{picture.stem}.{report.kind}")


def _least_certain(found: Measured, report: Report) -> Path:
    assert found.least_certain is not None
    path = report.folder / UNCERTAIN
    write_atomically(path, found.least_certain.to_csv(index=False, lineterminator="\n").encode())
    return path
