"""The options `--report` and `--format`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from thinnet import checks
from thinnet.cli.common import say
from thinnet.console.tables import printable
from thinnet.displays.saving import FORMATS

FORMAT: Final = f"Of the pictures of --report: {', '.join(FORMATS)}; by default png."


def report_of(
    folder: Path | None, kind: str | None, table: str, read: Mapping[str, Any], force: bool
) -> Any:
    """The report on a table, checked before work begins; None without a folder."""
    from thinnet.commands import pictures, places

    if folder is None:
        if kind is not None:
            raise ValueError("--format is for --report, got none")
        return None
    kind = checks.one_of("--format", kind or FORMATS[0], FORMATS)
    places.check_report("--report", folder, pictures.names(kind), read, force)
    return pictures.Report(folder, printable(table), kind)


def print_paths(paths: Iterable[Path]) -> None:
    for path in paths:
        say(f"{'table' if path.suffix == '.csv' else 'picture'}: {path}")
