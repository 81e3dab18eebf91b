"""What `--report` and `--format` ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from thinnet import checks
from thinnet.cli.common import say
from thinnet.console.tables import printable
from thinnet.displays.saving import FORMATS

FORMAT: Final = f"Of the pictures of --report: {', '.join(FORMATS)}; by default png."


def asked(
    folder: Path | None, kind: str | None, table: str, read: Mapping[str, Any], force: bool
) -> Any:
    """Where pictures of a table go; None without a folder.  Told before work begins if nowhere."""
    from thinnet.commands import pictures, places

    if folder is None:
        if kind is not None:
            raise ValueError("--format is for --report, got none")
        return None
    kind = checks.one_of("--format", kind or FORMATS[0], FORMATS)
    places.check_report("--report", folder, pictures.names(kind), read, force)
    return pictures.Report(folder, printable(table), kind)


def tell(paths: Iterable[Path]) -> None:
    for path in paths:
        say(f"{'table' if path.suffix == '.csv' else 'picture'}: {path}")
