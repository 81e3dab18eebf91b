"""The options `--report` and `--format`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from thinnet import checks
from thinnet.cli.common import say
from thinnet.displays.saving import FORMATS

REPORT: Final = "A folder for pictures, and report.html, one page with all there is to see."
KINDS: Final = {".csv": "table", ".html": "report"}
FORMAT: Final = f"Of the pictures of --report: {', '.join(FORMATS)}; by default png."


def report_of(folder: Path | None, kind: str | None, read: Mapping[str, Any], force: bool) -> Any:
    """The place of a report, checked before work begins; None without a folder."""
    from thinnet.commands import places, reporting

    if folder is None:
        if kind is not None:
            raise ValueError("--format is for --report, got none")
        return None
    kind = checks.one_of("--format", kind or FORMATS[0], FORMATS)
    places.check_report("--report", folder, reporting.names(kind), read, force)
    return reporting.Report(folder, kind)


def print_paths(paths: Iterable[Path]) -> None:
    for path in paths:
        say(f"{KINDS.get(path.suffix, 'picture')}: {path}")
