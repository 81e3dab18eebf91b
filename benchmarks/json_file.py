"""The option `--json`: where a benchmark keeps what it measures, after each row that it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from thinnet.atomic import check_place, write_atomically


def _checked(file: Path | None) -> Path | None:
    """The same, refused before anything is measured."""
    if file is not None:
        try:
            check_place("--json", file)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return file


JsonFile = Annotated[
    Path | None, typer.Option("--json", callback=_checked, help="File for numbers and machine.")
]


def save(file: Path | None, machine: Mapping[str, Any], **parts: Any) -> None:
    if file is not None:
        text = json.dumps({"machine": machine, **parts}, indent=1, allow_nan=False)
        write_atomically(file, f"{text}\n".encode())
